namespace Dreambooth.Lab.Foundation;

/// <summary>What a rank says of itself when it joins the others.</summary>
/// <param name="Rank">Its number, from 0.</param>
/// <param name="Count">How many ranks it was told there are.</param>
/// <param name="Launch">Which start it belongs to (<see cref="RankEnvironment.Launch"/>).</param>
/// <param name="Fingerprint">Of the program and its settings, equal on all ranks.</param>
/// <param name="Machine">The machine's name.</param>
/// <param name="Process">The process's id there.</param>
internal sealed record RankHello(int Rank, int Count, string Launch, string Fingerprint, string Machine, int Process)
{
    /// <summary>This process's own.</summary>
    public static RankHello Of(RankEnvironment place, string fingerprint) =>
        new(place.Rank, place.Count, place.Launch, fingerprint, Environment.MachineName, Environment.ProcessId);

    /// <summary>The rank for messages: "Rank 1 of 4 on node2 (process 123)".</summary>
    public override string ToString() => $"Rank {Rank} of {Count} on {ShownText.Line(Machine)} (process {Process})";

    /// <summary>Why a rank that knows the secret cannot join this one, rank 0; null where it can.</summary>
    public string? Objection(RankHello other) =>
        other.Count != Count ? $"{other} was told of {other.Count} ranks, and rank 0 of {Count}."
        : other.Rank < 1 || other.Rank >= Count
            ? $"A process on {ShownText.Line(other.Machine)} says that it is rank {other.Rank} of {Count}."
        : other.Fingerprint != Fingerprint
            ? $"{other} runs another version of the program or other settings than rank 0. Start all ranks with the same command."
        : null;
}
