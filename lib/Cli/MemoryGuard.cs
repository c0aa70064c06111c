using Dreambooth.Lab.Native;
using Dreambooth.Lab.Planning;
using TorchSharp;

namespace Dreambooth.Lab.Cli;

/// <summary>Turns libtorch's refusals of memory into one message: what was being done, what was asked for, what would fit.</summary>
internal sealed class MemoryGuard(string? model, string device, MemorySettings settings)
{
    private string _phase = "loading";

    /// <summary>Remembers what is being done.</summary>
    public void Enter(string phase) => _phase = char.ToLowerInvariant(phase[0]) + phase[1..];

    /// <summary>Runs some work.</summary>
    /// <exception cref="Foundation.LabException">Memory was refused.</exception>
    public T Run<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception error) when (OutOfMemory.Is(error))
        {
            throw MemoryShortage.Explain(error, _phase, Total(), Architecture(), settings);
        }
    }

    private long? Total()
    {
        var chosen = DeviceSelection.Parse(device);
        return chosen.type == DeviceType.CUDA ? GpuMemory.Read(Math.Max(chosen.index, 0))?.Total : null;
    }

    private ModelArchitecture? Architecture() =>
        model is not null && (File.Exists(model) || File.Exists(Path.Combine(model, "model_index.json"))) ? ModelArchitecture.Read(model) : null;
}
