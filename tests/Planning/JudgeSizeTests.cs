using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Tests.Evaluation;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Planning;

public sealed class JudgeSizeTests : IDisposable
{
    private readonly SmallEncoders _encoders = new();

    private DreamBoothConfig Config => DreamBoothConfig.Sd35MediumTutorial with
    {
        Device = "cpu",
        EvaluationSteps = 10,
        EvaluationDino = _encoders.Dino,
        EvaluationClip = _encoders.Clip,
        NumValidationImages = 2,
    };

    public void Dispose() => _encoders.Dispose();

    [Fact]
    public void Find_Folders_CountsWhatTheLoadedModelsHold()
    {
        var size = JudgeSize.Find(Config)!;
        using var dino = ViTModel.Load(_encoders.Dino, CPU, ScalarType.Float32);
        using var clip = CLIPModel.Load(_encoders.Clip, CPU, ScalarType.Float32);
        static long Count(nn.Module model) => model.parameters().Sum(parameter => parameter.numel());
        Assert.Equal((Count(dino), Count(clip.Vision) + Count(clip.Text)), (size.Dino, size.Clip));
        Assert.False(size.OnGpu);
        Assert.True((JudgeSize.Find(Config with { Device = "cuda" })!).OnGpu);
        Assert.Equal(size, MemorySettings.Of(Config, 0).Judge);
    }

    [Fact]
    public void Find_MorePictures_HoldsMoreUpToABatch()
    {
        long Beside(int pictures) => JudgeSize.Find(Config with { NumValidationImages = pictures })!.Beside;
        Assert.Equal(2 * Beside(1), Beside(2));
        Assert.Equal(8 * Beside(1), Beside(100));
    }

    [Fact]
    public void Find_NothingToCount_IsNull()
    {
        Assert.Null(JudgeSize.Find(Config with { EvaluationSteps = null }));
        Assert.Null(JudgeSize.Find(Config with { EvaluationDino = null, EvaluationClip = null }));
        Assert.Null(JudgeSize.Find(Config with { EvaluationDino = "nobody/not-in-the-cache" }));
    }

    [Fact]
    public void Find_FolderWithoutWeights_NamesIt()
    {
        File.Delete(Path.Combine(_encoders.Clip, "model.safetensors"));
        Assert.Contains(
            _encoders.Clip, Assert.Throws<LabException>(() => JudgeSize.Find(Config)).Message, StringComparison.Ordinal);
    }
}
