using System.Globalization;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Models.ImageEncoders;

/// <summary>What the tests of the image encoders share.</summary>
internal static class EncoderFixture
{
    /// <summary>The model's name, as <c>dino-vit</c>.</summary>
    public static string Model(GoldenCase golden) => Path.GetFileNameWithoutExtension(golden.File);

    /// <summary>The model's folder.</summary>
    public static string Folder(GoldenCase golden) => GoldenSet.PathOf("vision", Model(golden));

    /// <summary>The pixels that the model's outputs were computed of.</summary>
    public static Tensor Pixels(GoldenCase golden) =>
        GoldenSet.Load("vision", "pixel_values.safetensors", $"{Model(golden)}.pil").Here();

    /// <summary>Compares the tokens of each layer, of as many pictures as the reference has.</summary>
    public static void CompareLayers(IReadOnlyDictionary<string, Tensor> layers, ImageEncoderOutput output, double tolerance)
    {
        Assert.NotEmpty(layers);
        foreach (var (layer, expected) in layers)
        {
            var actual = output.HiddenStates[int.Parse(layer, CultureInfo.InvariantCulture)].narrow(0, 0, expected.shape[0]);
            GoldenAssert.Close(expected, actual, tolerance, $"hidden_states.{layer}");
        }
    }

    /// <summary>The model with random weights.</summary>
    public static T Random<T>(T model)
        where T : nn.Module
    {
        using var noGradients = no_grad();
        manual_seed(3);
        foreach (var parameter in model.parameters())
            parameter.normal_();
        return model;
    }

    /// <summary>A JSON file that is gone afterwards.</summary>
    internal sealed class JsonText : IDisposable
    {
        public JsonText(string json) => File.WriteAllText(Path, json);

        public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"{Guid.NewGuid():n}.json");

        public void Dispose() => File.Delete(Path);
    }
}
