namespace Dreambooth.Lab.Planning;

/// <summary>
/// Predicts a training over ranks: each computes its own batch, then all add up their gradients (one all-reduce a step). Inside a host in a
/// ring (Patarasuk and Yuan 2009, "Bandwidth optimal all-reduce algorithms for clusters of workstations"); between hosts, where each rank
/// of a host sends its share, in a ring or over two trees (Sanders, Speck and Träff 2009), whichever is faster. Nothing overlaps.
/// </summary>
internal sealed record ScalingModel
{
    /// <summary>Time of a step without the all-reduce, in ms. On an H200: 31.0 (LoRA, 512²), 177 (the recipe, 512²).</summary>
    public required double ComputeMilliseconds { get; init; }

    /// <summary>Bytes of all gradients. Default 16 MB: a LoRA of rank 4 with both CLIP encoders in float32.</summary>
    public double GradientBytes { get; init; } = 16e6;

    /// <summary>Ranks of a host, at least 1. Default 8.</summary>
    public int RanksPerHost { get; init; } = 8;

    /// <summary>
    /// Bytes a second inside a host. The default gives the 0.072 ms that 16 MB took on two H200 with NVLink, with the latency assumed.
    /// </summary>
    public double HostBandwidth { get; init; } = 258e9;

    /// <summary>Time of a message inside a host, in ms; assumed.</summary>
    public double HostLatency { get; init; } = 0.005;

    /// <summary>Bytes a second of a rank's own network card. Default 400 Gb/s; assumed.</summary>
    public double NetworkBandwidth { get; init; } = 50e9;

    /// <summary>Time of a message between hosts, in ms; assumed.</summary>
    public double NetworkLatency { get; init; } = 0.015;

    /// <summary>Time of the all-reduce in ms; 0 of one rank.</summary>
    /// <param name="ranks">At least 1; full hosts beyond one.</param>
    public double AllReduce(int ranks)
    {
        var local = Math.Min(ranks, RanksPerHost);
        var hosts = (ranks + local - 1) / local;
        var share = GradientBytes / local;
        var network = hosts == 1 ? 0 : Math.Min(
            Ring(hosts, share, NetworkBandwidth, NetworkLatency),
            2 * ((Math.Ceiling(Math.Log2(hosts)) * NetworkLatency) + Milliseconds(share, NetworkBandwidth)));
        return Ring(local, GradientBytes, HostBandwidth, HostLatency) + network;
    }

    /// <summary>Time of a step in ms.</summary>
    /// <param name="ranks">At least 1.</param>
    public double Step(int ranks) => ComputeMilliseconds + AllReduce(ranks);

    /// <summary>How many times as many pictures a second as one rank trains on.</summary>
    /// <param name="ranks">At least 1.</param>
    public double Throughput(int ranks) => ranks * Step(1) / Step(ranks);

    /// <summary>
    /// How many times as fast the same loss is reached as by one rank, when ranks make the batch larger: the number of steps falls as
    /// 1 + noise / batch, no further (McCandlish et al. 2018, arXiv:1812.06162, equation 2.11).
    /// </summary>
    /// <param name="ranks">At least 1.</param>
    /// <param name="batch">Pictures of a rank's step.</param>
    /// <param name="noise">The gradient noise scale in pictures: the batch at which twice the fewest steps are needed.</param>
    public double Speedup(int ranks, double batch, double noise) =>
        (1 + (noise / batch)) * Step(1) / ((1 + (noise / (batch * ranks))) * Step(ranks));

    private static double Ring(int members, double bytes, double bandwidth, double latency) =>
        2 * (members - 1) * (Milliseconds(bytes / members, bandwidth) + latency);

    private static double Milliseconds(double bytes, double bandwidth) => 1000 * bytes / bandwidth;
}
