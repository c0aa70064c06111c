using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Profiling;
using Dreambooth.Lab.Tests.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Models.TextEncoders;

/// <summary>T5 read block by block, on a random one whose blocks are its weight, as in the published model.</summary>
public sealed class T5StreamTests : IDisposable
{
    private static readonly T5Config Config = new()
    {
        VocabSize = 64,
        DModel = 192,
        DKv = 32,
        DFf = 768,
        NumLayers = 8,
        NumHeads = 6,
        FeedForwardProj = "gated-gelu",
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("lab-t5-").FullName;
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly IDisposable _noGradients = no_grad();
    private readonly Checkpoint _file;

    public T5StreamTests()
    {
        TorchLibraries.EnsureLoaded();
        using var model = new T5EncoderModel(Config, CPU, ScalarType.Float32);
        var path = Path.Combine(_folder, "model.safetensors");
        SafetensorsWriter.Save(
            path, StateDictLoader.StateDict(model)
                .Select(
                    (weight, i) => KeyValuePair.Create(
                        weight.Key, SeededNoise.Normal(weight.Value.shape, (ulong)i).mul_(0.05).to(ScalarType.BFloat16))));
        _file = Checkpoint.Open(path);
    }

    public void Dispose()
    {
        _file.Dispose();
        _noGradients.Dispose();
        _scope.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    public void Stream_SeveralBatches_GivesWhatForwardGives(ScalarType dtype)
    {
        using var resident = T5EncoderModel.Load(Config, _file, CPU, dtype);
        using var absent = new T5EncoderModel(Config, META, dtype);
        Tensor[] texts = [Ids(1, 9), Ids(3, 16), Ids(1, 4)];
        var streamed = absent.Stream(texts, _file, CPU);
        Assert.All(texts.Zip(streamed), pair => GoldenAssert.Exact(resident.call(pair.First), pair.Second));
        Assert.All(absent.parameters(), parameter => Assert.Equal(DeviceType.META, parameter.device_type));
    }

    [Fact]
    public void Stream_Weights_AreInMemoryOneBlockAtATime()
    {
        Assert.SkipUnless(PeakMemory.IsCounted, "the peak of memory is not counted here");
        using var absent = new T5EncoderModel(Config, META, ScalarType.Float32);
        var block = absent.Blocks[1].parameters().Sum(parameter => parameter.numel()) * sizeof(float);
        var ids = Ids(1, 4);
        var streamed = PeakMemory.Of(() => absent.Stream([ids], _file, CPU)[0].Dispose());
        Assert.InRange(streamed, 0, 2 * block);
    }

    // What attention adds is N S² numbers a length, more than a text's own tokens.
    [Fact]
    public void Stream_ManyTexts_ShareWhatTheirLengthHasInCommon()
    {
        Assert.SkipUnless(PeakMemory.IsCounted, "the peak of memory is not counted here");
        using var absent = new T5EncoderModel(Config, META, ScalarType.Float32);
        const int Length = 128, Texts = 24;
        long bias = Config.NumHeads * Length * Length * sizeof(float), own = Length * Config.DModel * sizeof(float);
        Tensor[] ids = [.. Enumerable.Range(0, Texts).Select(_ => Ids(1, Length))];
        long Peak(int texts) => PeakMemory.Of(() =>
        {
            using var scope = NewDisposeScope();
            absent.Stream(ids[..texts], _file, CPU);
        });
        Assert.InRange(Peak(Texts) - Peak(1), 0, (Texts * own) + (Texts * bias / 2));
    }

    [Fact]
    public void Stream_Repeated_LeavesNoTensors()
    {
        using var absent = new T5EncoderModel(Config, META, ScalarType.Float32);
        var ids = Ids(2, 4);
        Assert.Equal(0, LiveTensors.LeftBy(() => absent.Stream([ids], _file, CPU)[0].Dispose()));
    }

    [Fact]
    public void Stream_FileThatIsGone_LeavesNothingLoaded()
    {
        using var absent = new T5EncoderModel(Config, META, ScalarType.Float32);
        File.SetLastWriteTimeUtc(_file.Path, DateTime.UnixEpoch);
        Assert.Throws<LabException>(() => absent.Stream([Ids(1, 4)], _file, CPU));
        Assert.All(absent.parameters(), parameter => Assert.Equal(DeviceType.META, parameter.device_type));
    }

    private static Tensor Ids(int rows, int length) =>
        (arange(rows * length, dtype: ScalarType.Int64) * 7 % Config.VocabSize).view(rows, length);
}
