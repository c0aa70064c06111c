using System.Text.Json;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Pipelines;

/// <summary>
/// The table of names against every name of the published single files at full size; the files' data are holes on the disk.
/// </summary>
public sealed class OriginalLayoutTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-layout-").FullName;

    public static TheoryData<string> Models => [.. SingleFilePreset.Published.Select(preset => preset.Name)];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Models))]
    public void Transformer_EveryKeyOfTheModel_MapsOnceWithItsShape(string name)
    {
        var config = Preset(name).Transformer;
        using var model = new SD3Transformer2DModel(config, META, ScalarType.BFloat16);
        Check(model, OriginalKeys.TransformerPrefix, OriginalKeys.Transformer(config), OriginalLayout.Transformer(config.NumLayers));
    }

    [Fact]
    public void Vae_EveryKey_MapsOnceWithItsShape()
    {
        var config = SingleFilePreset.Sd35Medium.Vae;
        using var model = new AutoencoderKL(config, META, ScalarType.BFloat16);
        Check(model, OriginalKeys.VaePrefix, OriginalKeys.Vae(config), OriginalLayout.Vae(config.BlockOutChannels.Count));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Clip_EveryKey_MapsOnceAndIsNotProjected(bool projectionInTheFile)
    {
        var config = SingleFilePreset.Sd35Medium.Clip;
        using var model = new CLIPTextModelWithProjection(config, META, ScalarType.BFloat16);
        var known = projectionInTheFile ? new HashSet<string> { OriginalKeys.ClipPrefix + "text_projection.weight" } : [];
        Check(model, OriginalKeys.ClipPrefix, OriginalKeys.Clip(config, projectionInTheFile), OriginalLayout.Clip, known);
    }

    [Fact]
    public void Clip2_EveryKey_MapsOnce()
    {
        var config = SingleFilePreset.Sd35Medium.Clip2;
        using var model = new CLIPTextModelWithProjection(config, META, ScalarType.BFloat16);
        Check(model, OriginalKeys.Clip2Prefix, OriginalKeys.Clip(config, projected: true), OriginalLayout.Clip2);
    }

    [Theory]
    [InlineData("shared.weight")]
    [InlineData("encoder.embed_tokens.weight")]
    [InlineData(null)]
    public void T5_EveryKey_MapsOnce(string? left)
    {
        var config = SingleFilePreset.Sd35Medium.T5;
        using var model = new T5EncoderModel(config, META, ScalarType.BFloat16);
        var keys = OriginalKeys.T5(config).Where(key => key.Key != left);
        Check(
            model, OriginalKeys.T5Prefix, keys, OriginalLayout.T5,
            left is null ? [OriginalKeys.T5Prefix + "encoder.embed_tokens.weight"] : []);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Open_FullSizeFile_IsRecognisedByKeysAndShapes(string name)
    {
        var preset = Preset(name);
        IEnumerable<(string, long[])> keys =
        [
            .. Prefixed(OriginalKeys.TransformerPrefix, OriginalKeys.Transformer(preset.Transformer)),
            .. Prefixed(OriginalKeys.VaePrefix, OriginalKeys.Vae(preset.Vae)),
            .. Prefixed(OriginalKeys.ClipPrefix, OriginalKeys.Clip(preset.Clip, projected: false)),
            .. Prefixed(OriginalKeys.Clip2Prefix, OriginalKeys.Clip(preset.Clip2, projected: true)),
            .. Prefixed(OriginalKeys.T5Prefix, OriginalKeys.T5(preset.T5)), ("text_encoders.clip_g.logit_scale", []),
        ];
        using var model = SingleFileModel.Open(Write("some name.safetensors", keys), new PipelineOptions());
        Assert.Equal(name, model.Preset.Name);
        Assert.Equal(preset, SingleFilePreset.Recognise(Path.Combine(_folder, "some name.safetensors")));
    }

    [Fact]
    public void Open_OnlyABareTransformer_IsRecognisedAndTheRestIsNamed()
    {
        var path = Write("bare.safetensors", OriginalKeys.Transformer(SingleFilePreset.Sd35Large.Transformer));
        var message = Assert.Throws<LabException>(() => SingleFileModel.Open(path, new PipelineOptions())).Message;
        Assert.Contains(
            "is Stable Diffusion 3.5-large without the autoencoder, the first CLIP encoder, the second CLIP encoder, the T5 encoder",
            message, StringComparison.Ordinal);
        Assert.Contains("clip_l.safetensors", message, StringComparison.Ordinal);
        Assert.Contains("--components", message, StringComparison.Ordinal);
    }

    private void Check(
        nn.Module model, string prefix, IEnumerable<(string Key, long[] Shape)> keys, KeyMapping mapping, HashSet<string>? notNeeded = null)
    {
        List<(string Key, long[] Shape)> stored = [.. Prefixed(prefix, keys)];
        using var file = Checkpoint.Open(Write("model.safetensors", stored));
        var mapped = new MappedCheckpoint(file, prefix, mapping);
        var published = StateDictLoader.StateDict(model);
        Assert.Equal(published.Keys.Order(StringComparer.Ordinal), mapped.Entries.Keys.Order(StringComparer.Ordinal));
        Assert.All(published, parameter => Assert.Equal(parameter.Value.shape, mapped.Entries[parameter.Key].Shape));

        // A fallback serves where nothing else stands for its parameter; the identity takes nothing from the file but its size.
        List<KeyRule> rules = [.. keys.SelectMany(key => mapping.Find(key.Key)).Where(rule => rule.Published is not null)];
        var first = rules.Where(rule => !rule.IsFallback).Select(rule => rule.Published).ToHashSet();
        var uses = rules.Where(rule => rule.Part != KeyPart.Identity && !(rule.IsFallback && first.Contains(rule.Published)))
            .ToLookup(rule => prefix + rule.Stored, rule => rule.Part);
        foreach (var (key, _) in stored.Where(key => notNeeded?.Contains(key.Key) != true))
        {
            var parts = uses[key].ToList();
            Assert.True(
                parts is [KeyPart.Whole or KeyPart.SwappedHalves or KeyPart.Squeezed]
                    || parts.Order().SequenceEqual([KeyPart.FirstThird, KeyPart.SecondThird, KeyPart.LastThird]),
                $"{key} is used as [{string.Join(", ", parts)}]");
        }
    }

    private static SingleFilePreset Preset(string name) => SingleFilePreset.Published.Single(preset => preset.Name == name);

    private static IEnumerable<(string, long[])> Prefixed(string prefix, IEnumerable<(string Key, long[] Shape)> keys) =>
        keys.Select(key => (prefix + key.Key, key.Shape));

    /// <summary>A file whose header is whole and whose data takes no space.</summary>
    private string Write(string name, IEnumerable<(string Key, long[] Shape)> keys)
    {
        long offset = 0;
        var header = new Dictionary<string, object>();
        foreach (var (key, shape) in keys)
        {
            var end = offset + shape.Aggregate(2L, (product, size) => product * size);
            header.Add(
                key, new Dictionary<string, object> { ["dtype"] = "F16", ["shape"] = shape, ["data_offsets"] = new[] { offset, end } });
            offset = end;
        }

        var path = Path.Combine(_folder, name);
        var text = JsonSerializer.SerializeToUtf8Bytes(header);
        using var stream = File.Create(path);
        stream.Write(BitConverter.GetBytes((long)text.Length));
        stream.Write(text);
        stream.SetLength(8 + text.Length + offset);
        return path;
    }
}
