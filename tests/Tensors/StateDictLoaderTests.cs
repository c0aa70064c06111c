using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Tensors;

public sealed class StateDictLoaderTests : IDisposable
{
    private readonly string _path = Path.Combine(Directory.CreateTempSubdirectory("lab-load-").FullName, "weights.safetensors");
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        Directory.Delete(Path.GetDirectoryName(_path)!, recursive: true);
    }

    [Fact]
    public void Load_MetaModule_GetsTheFilesValues()
    {
        var values = Values();
        Save(values);
        using var module = new TimestepEmbedding(3, 4, META, ScalarType.Float32);
        Assert.Equal(DeviceType.META, module.Linear1.Weight.device_type);
        Load(module);
        foreach (var (name, value) in StateDictLoader.StateDict(module))
            GoldenAssert.Exact(values[name], value.detach(), name);
        using var output = module.call(ones(1, 3));
        Assert.Equal([1, 4], output.shape);
        Assert.Equal(values.Keys.Order(), module.named_parameters().Select(entry => entry.name).Order());
        Assert.All(module.parameters(), parameter => Assert.False(parameter.requires_grad));
    }

    [Fact]
    public void Load_OtherType_Converts()
    {
        var values = Values();
        Save(values);
        using var module = new TimestepEmbedding(3, 4, META, ScalarType.BFloat16);
        using (var checkpoint = Checkpoint.Open(_path))
            StateDictLoader.Load(module, checkpoint, CPU, ScalarType.BFloat16);
        GoldenAssert.Exact(values["linear_1.weight"].to(ScalarType.BFloat16), module.Linear1.Weight.detach());
    }

    [Fact]
    public void Load_EveryKindOfDifference_IsListedInOneMessageAndNothingChanges()
    {
        var values = Values();
        values.Remove("linear_1.bias");
        values["linear_1.weight"] = ones(3, 4);
        values["linear_2.bias"] = ones([4], ScalarType.Int32);
        values["linear_3.weight"] = ones(2);
        Save(values);
        using var module = new TimestepEmbedding(3, 4, CPU, ScalarType.Float32);
        using (no_grad())
        {
            foreach (var parameter in module.parameters())
                parameter.fill_(7);
        }

        var error = Assert.Throws<LabException>(() => Load(module));
        Assert.Equal(
            $"{_path} does not fit TimestepEmbedding. 1 missing: linear_1.bias. 1 unexpected: linear_3.weight. "
            + "1 of another shape: linear_1.weight: the file has [3, 4], the model [4, 3]. 1 of a wrong type: linear_2.bias: Int32 where a "
            + "floating-point type is needed.",
            error.Message);
        Assert.All(module.parameters(), parameter => Assert.True(parameter.eq(7).all().item<bool>()));
    }

    [Fact]
    public void Load_ManyDifferences_CountsAllAndListsTheFirst()
    {
        Save(Enumerable.Range(0, 40).ToDictionary(i => $"x.{i:00}", _ => ones(1)));
        using var module = new TimestepEmbedding(3, 4, META, ScalarType.Float32);
        var message = Assert.Throws<LabException>(() => Load(module)).Message;
        Assert.Contains("4 missing: linear_1.bias, linear_1.weight, linear_2.bias, linear_2.weight.", message, StringComparison.Ordinal);
        Assert.Contains("40 unexpected: x.00, ", message, StringComparison.Ordinal);
        Assert.EndsWith("x.11, …", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_SuperfluousNames_AreAccepted()
    {
        var values = Values();
        values["position_ids"] = ones([4], ScalarType.Int64);
        Save(values);
        using var module = new TimestepEmbedding(3, 4, META, ScalarType.Float32);
        Assert.Throws<LabException>(() => Load(module));
        Load(module, name => name == "position_ids");
        GoldenAssert.Exact(values["linear_2.weight"], module.Linear2.Weight.detach());
    }

    private static Dictionary<string, Tensor> Values() => new()
    {
        ["linear_1.weight"] = randn(4, 3),
        ["linear_1.bias"] = randn(4),
        ["linear_2.weight"] = randn(4, 4),
        ["linear_2.bias"] = randn(4),
    };

    private void Save(Dictionary<string, Tensor> values) => SafetensorsWriter.Save(_path, values);

    private void Load(nn.Module module, Func<string, bool>? isSuperfluous = null)
    {
        using var checkpoint = Checkpoint.Open(_path);
        StateDictLoader.Load(module, checkpoint, CPU, ScalarType.Float32, isSuperfluous);
    }
}
