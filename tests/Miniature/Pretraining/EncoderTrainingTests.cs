using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Miniature;
using Dreambooth.Lab.Miniature.Pretraining;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Tests.Tokenizers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Miniature.Pretraining;

/// <summary>The small encoders' trainings with the tiny recipe, and the folders that they leave.</summary>
public sealed class EncoderTrainingTests : IDisposable
{
    private static readonly MiniatureRecipe Recipe = MiniatureRecipe.Tiny;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private PretrainingOptions Options(long steps) => new()
    {
        Output = _folder.Path,
        Device = CPU,
        MaxSteps = steps,
        Pictures = 48,
        Pool = Path.Combine(_folder.Path, "pool"),
        RenderThreads = 2,
        ReportSeconds = 1e6,
    };

    [Fact]
    public void Dino_MoreSteps_HasALowerLoss()
    {
        var before = DinoTraining.Run(Recipe, Options(1));
        var after = DinoTraining.Run(Recipe, Options(80));
        Assert.Equal((1.0, 80.0), (before["step"], after["step"]));
        Assert.True(after["loss"] < before["loss"] - 0.2, $"{before["loss"]} after 1 step, {after["loss"]} after 80");
    }

    [Fact]
    public void Clip_MoreSteps_HasALowerLoss()
    {
        var before = ClipTraining.Run(Recipe, Options(1));
        var after = ClipTraining.Run(Recipe, Options(80));
        Assert.True(after["loss"] < before["loss"] - 0.2, $"{before["loss"]} after 1 step, {after["loss"]} after 80");
    }

    [Fact]
    public void Folders_OfBoth_LoadAsPublishedEncodersDo()
    {
        DinoTraining.Run(Recipe, Options(1));
        ClipTraining.Run(Recipe, Options(1));
        string dino = Path.Combine(_folder.Path, "dino"), clip = Path.Combine(_folder.Path, "clip");
        MiniatureFolder.Verify(dino);
        MiniatureFolder.Verify(clip);
        using var encoders = SubjectEncoders.Load(dino, clip, ImageProtocol.Paper, CPU, ScalarType.Float32);
        Assert.Equal("DINO dino, CLIP clip, protocol paper", encoders.Name);
        var seen = encoders.Encode([Plain(10), Plain(200)]);
        Assert.Equal((2, 2, 1), (seen.Dino.Count, seen.Clip.Count, encoders.Encode(["a photo of a cat"]).Count));
        Assert.True(seen.Dino.Cosine(0, seen.Dino, 1) < 1 - 1e-6, "black and white look the same");
        using var model = CLIPModel.Load(clip, CPU, ScalarType.Float32);
        Assert.Equal(-Math.Log(Recipe.Encoders.TextTemperature), model.LogitScale, 2e-3);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(18)]
    public void Dino_BatchThatHoldsNoPairs_IsRefused(int batch)
    {
        var recipe = Recipe with { Encoders = Recipe.Encoders with { BatchSize = batch } };
        var error = Assert.Throws<LabException>(() => DinoTraining.Run(recipe, Options(1)));
        Assert.Contains("multiple of 4", error.Message, StringComparison.Ordinal);
    }

    private static RgbImage Plain(byte level) => new(48, 48, [.. Enumerable.Repeat(level, 48 * 48 * 3)]);
}
