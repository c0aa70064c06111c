using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native.Cuda;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Native.Cuda;

/// <summary>Stands in for CUDA graphs by work that is called again: it sees the same tensors every time, as a CUDA graph does.</summary>
internal sealed class StandInRecorder
{
    /// <summary>Whether the work cannot be recorded.</summary>
    public bool Refuses { get; init; }

    /// <summary>After how many recordings further ones are refused.</summary>
    public int Most { get; init; } = int.MaxValue;

    /// <summary>Whether a replay does nothing.</summary>
    public bool Forgets { get; init; }

    /// <summary>How often something was recorded.</summary>
    public int Recorded { get; private set; }

    /// <summary>How often a recording was replayed.</summary>
    public int Launched { get; private set; }

    /// <summary>Recordings that were not freed.</summary>
    public int Alive { get; private set; }

    public IReplayable Record(Device device, Action work)
    {
        Recorded++;
        for (var i = 0; i < 3; i++)
            work();
        if (Refuses || Recorded > Most)
            throw new LabException("cudaStreamBeginCapture failed with code 900.");
        Alive++;
        return new Replay(this, work);
    }

    private sealed class Replay(StandInRecorder owner, Action work) : IReplayable
    {
        public void Launch()
        {
            owner.Launched++;
            if (!owner.Forgets)
                work();
        }

        public void Dispose() => owner.Alive--;
    }
}
