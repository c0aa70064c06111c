using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Models.ImageEncoders;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Lessons;

/// <summary>Small encoders as published folders hold them: the golden set's, and for CLIP a text half of random weights.</summary>
internal sealed class TinyEncoders : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-encoders-").FullName;

    /// <summary>Writes them.</summary>
    public TinyEncoders()
    {
        Copy(Path.Combine(Vision, "dino-vit"), Dino);
        Copy(Path.Combine(Vision, "clip-openai"), Clip);
        Copy(Path.Combine(GoldenSet.RepositoryRoot, "data", "sd3-mini", "tokenizer"), Clip);
        Complete(Clip);
    }

    /// <summary>A folder of DINO.</summary>
    public string Dino => Path.Combine(_folder, "dino");

    /// <summary>A folder of CLIP with a tokenizer.</summary>
    public string Clip => Path.Combine(_folder, "clip");

    private static string Vision => Path.Combine(GoldenSet.Second.Small, "vision");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }

    private static void Complete(string folder)
    {
        using var scope = NewDisposeScope();
        var file = JsonField.ReadFile(Path.Combine(folder, "config.json"));
        var config = file.Get("text_config").To<CLIPTextConfig>() with { ProjectionDim = file.Get("projection_dim").Int() };
        using var text = EncoderFixture.Random(new CLIPTextModelWithProjection(config, CPU, ScalarType.Float32));
        var path = Path.Combine(folder, "model.safetensors");
        Dictionary<string, Tensor> tensors = new(text.state_dict()) { ["logit_scale"] = tensor(2.6592f) };
        using (var vision = SafetensorsFile.Open(path))
        {
            foreach (var name in vision.Tensors.Keys.Where(name => name.StartsWith("vis", StringComparison.Ordinal)))
                tensors[name] = vision.Load(name, CPU, ScalarType.Float32);
        }

        SafetensorsWriter.Save(path, tensors);
    }
}
