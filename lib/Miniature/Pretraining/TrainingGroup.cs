using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native.Cuda;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>
/// The processes that train one model together, one per GPU: each has pictures of its own, gradients are averaged, and since all begin with
/// the same
/// weights and see the same clock, all keep the same weights. A process alone is a group too.
/// </summary>
internal sealed class TrainingGroup : IDisposable
{
    // Between two looks at the common clock, in steps: a look waits for the device.
    private const int ClockEvery = 25;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly NcclCommunicator? _communicator;
    private readonly Tensor? _clock;
    private readonly int _ranks, _rank;
    private double _minutes;
    private long _looks;

    private TrainingGroup(NcclCommunicator? communicator, Tensor? clock, int ranks, int rank) =>
        (_communicator, _clock, _ranks, _rank) = (communicator, clock, ranks, rank);

    /// <summary>Whether this process measures, reports and saves.</summary>
    public bool IsFirst => _rank == 0;

    /// <summary>Meets the other processes through a file in the folder that all name.</summary>
    /// <param name="options">How many there are, which this is, and where they meet.</param>
    /// <param name="what">What is trained: the file's name, so that two trainings do not meet.</param>
    /// <exception cref="LabException">They do not come, or NCCL refuses.</exception>
    public static TrainingGroup Join(PretrainingOptions options, string what)
    {
        // Each draws other noise and other rows.
        manual_seed(20_26 + options.Rank);
        if (options.Ranks == 1)
            return new TrainingGroup(null, null, 1, 0);
        if (options.Meeting is null || options.Rank < 0 || options.Rank >= options.Ranks
            || options.Device.type != TorchSharp.DeviceType.CUDA)
            throw new LabException(
                $"Rank {options.Rank} of {options.Ranks} on {options.Device}: ranks count from 0, need CUDA and --meeting, a new folder.");
        var path = Path.Combine(options.Meeting, what + ".id");
        if (options.Rank == 0)
            AtomicFile.Write(path, stream => stream.Write(NcclCommunicator.CreateId()));
        if (!SpinWait.SpinUntil(() => File.Exists(path), Patience))
            throw new LabException($"{path} did not appear within {Patience.TotalMinutes:0} minutes: rank 0 has not started.");
        return new TrainingGroup(
            NcclCommunicator.Join(File.ReadAllBytes(path), options.Ranks, options.Rank), zeros([1], ScalarType.Float32,
                options.Device).DetachFromDisposeScope(), options.Ranks, options.Rank);
    }

    /// <summary>Replaces gradients by their mean over the group.</summary>
    /// <param name="gradients">float32, <c>[N]</c>.</param>
    public void Average(Tensor gradients)
    {
        if (_communicator is null)
            return;
        using var noGradients = no_grad();
        _communicator.AllReduce(gradients);
        gradients.mul_(Lab.Tensors.KeptScalar.Of(1.0 / _ranks));
    }

    /// <summary>The first process's clock; looked at now and then, so that all see the same.</summary>
    /// <param name="minutes">This process's clock.</param>
    public double Minutes(double minutes)
    {
        if (_communicator is null)
            return minutes;
        if (_looks++ % ClockEvery != 0)
            return _minutes;
        using var noGradients = no_grad();
        using var own = KeptScalar.Once(IsFirst ? minutes : 0);
        _clock!.fill_(own);
        _communicator.AllReduce(_clock);
        return _minutes = _clock.item<float>();
    }

    /// <summary>Leaves the group.</summary>
    public void Dispose()
    {
        _communicator?.Dispose();
        _clock?.Dispose();
    }
}
