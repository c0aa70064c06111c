using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>The tensors of one golden file by their keys.</summary>
/// <param name="Folder">Folder of the set.</param>
/// <param name="File">File in the folder.</param>
internal sealed record GoldenTensors(string Folder, string File)
{
    public IEnumerable<string> Keys => GoldenSet.Manifest(Folder).Files.Single(file => file.Name == File).Keys.Keys;

    public Tensor this[string key] => GoldenSet.Load(Folder, File, key);

    public bool Has(string key) => Keys.Contains(key);
}
