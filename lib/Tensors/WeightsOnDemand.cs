using static TorchSharp.torch;

namespace Dreambooth.Lab.Tensors;

/// <summary>
/// Weights that are in memory while they are held and stay in their file otherwise. The module itself stays, and with it its LoRA: only the
/// parameters are loaded and freed. Not for use from several threads.
/// </summary>
internal sealed class WeightsOnDemand
{
    private readonly nn.Module _module;
    private readonly Action _load;
    private int _holders;

    /// <summary>Takes over a module's weights.</summary>
    /// <param name="module">A module whose parameters belong to <see cref="IParameterOwner"/>s, on the meta device.</param>
    /// <param name="load">Loads its parameters.</param>
    public WeightsOnDemand(nn.Module module, Action load)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(load);
        (_module, _load) = (module, load);
        foreach (var (_, owner, _, _) in StateDictLoader.Owners(module))
            owner.IsOnDemand = true;
    }

    /// <summary>Loads the weights unless they are there.</summary>
    /// <returns>Frees them when disposed, unless somebody else still holds them.</returns>
    /// <exception cref="Foundation.LabException">The file was changed or removed.</exception>
    public IDisposable Hold()
    {
        if (_holders == 0)
            Load();
        _holders++;
        return new Holder(this);
    }

    // What was loaded when memory ran out is freed again.
    private void Load()
    {
        try
        {
            _load();
        }
        catch
        {
            StateDictLoader.Release(_module);
            throw;
        }
    }

    private void LetGo()
    {
        if (--_holders == 0)
            StateDictLoader.Release(_module);
    }

    private sealed class Holder(WeightsOnDemand owner) : IDisposable
    {
        private bool _disposed;

        public void Dispose()
        {
            if (_disposed)
                return;
            _disposed = true;
            owner.LetGo();
        }
    }
}
