using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Models.ImageEncoders;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Evaluation;

/// <summary>
/// Folders of the two encoders as they are published: DINO and the image half of CLIP as the repository holds them, the text half with
/// random weights.
/// </summary>
internal sealed class SmallEncoders : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lab-encoders-");

    public SmallEncoders()
    {
        Clip = _folder.CreateSubdirectory("small-clip").FullName;
        var half = Path.Combine(Root, "clip-openai");
        string[] files =
        [
            Path.Combine(half, "config.json"), Path.Combine(half, "preprocessor_config.json"),
            .. Directory.GetFiles(Path.Combine(GoldenSet.RepositoryRoot, "data", "sd3-mini", "tokenizer")),
        ];
        foreach (var file in files)
            File.Copy(file, Path.Combine(Clip, Path.GetFileName(file)));
        using var scope = NewDisposeScope();
        var config = JsonField.ReadFile(files[0]).Get("text_config").To<CLIPTextConfig>();
        using var text = EncoderFixture.Random(new CLIPTextModelWithProjection(config, CPU, ScalarType.Float32));
        using var images = Checkpoint.OpenFolder(half, "model");
        var weights = text.state_dict();
        foreach (var name in images.Names.Where(name => !weights.ContainsKey(name)))
            weights[name] = images.Load(name);
        weights["logit_scale"] = tensor(2.6592f);
        SafetensorsWriter.Save(Path.Combine(Clip, "model.safetensors"), weights);
    }

    /// <summary>DINO.</summary>
    public string Dino { get; } = Path.Combine(Root, "dino-vit");

    /// <summary>A whole CLIP with a tokenizer.</summary>
    public string Clip { get; }

    private static string Root => Path.Combine(GoldenSet.RepositoryRoot, "tests", "fixtures", "golden_2", "vision");

    public void Dispose() => _folder.Delete(recursive: true);
}
