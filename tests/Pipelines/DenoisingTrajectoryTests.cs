using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Tests.Pipelines;

public class DenoisingTrajectoryTests
{
    private static readonly GenerationRequest _request = new()
    {
        Prompts = ["a photo of a cat"],
        NumInferenceSteps = 3,
        Width = 32,
        Height = 32,
        Seed = 3,
        MaxSequenceLength = 8,
    };

    [Fact]
    public void Record_ToTheEnd_EndsInTheGeneratedPicture()
    {
        using var pipeline = TinyPipeline.Load();
        var moments = DenoisingTrajectory.Record(pipeline, _request, frames: 4);
        var picture = pipeline.Generate(_request)[0];
        Assert.Equal([0, 1, 2, 3], moments.Select(moment => moment.Step));
        Assert.Equal(1, moments[0].Sigma, 1e-6);
        Assert.Equal(0, moments[^1].Sigma);
        Assert.Equal(0, PictureDifference.Between(picture, moments[^1].Noisy).Mean);
        // The last step goes to σ = 0 along the flow: what it foresees is where it arrives.
        Assert.True(PictureDifference.Between(moments[2].Estimate, moments[3].Noisy).Mean < 0.01);
        Assert.True(PictureDifference.Between(moments[0].Noisy, moments[3].Noisy).Mean > 0.1);
    }

    [Fact]
    public void Record_Attention_DoesNotChangeThePictureAndSumsBelowOne()
    {
        using var pipeline = TinyPipeline.Load();
        var words = TokenAttention.Record(pipeline, _request, ["photo", "cat"], blocks: [0, 2]);
        Assert.Equal(0, PictureDifference.Between(pipeline.Generate(_request)[0], words[0].Picture).Mean);
        Assert.All(words, word =>
        {
            Assert.Equal([0, 2], word.Blocks);
            Assert.Equal((2, 2), (word.Mean.GetLength(0), word.Mean.GetLength(1)));
            Assert.All(word.Mean.Cast<double>(), value => Assert.InRange(value, 1e-6, 1));
        });
        Assert.NotEqual(words[0].Mean[0, 0], words[1].Mean[0, 0]);
    }

    // The request's window counts, not the encoder's own: places behind its end are none of the prompt's.
    [Fact]
    public void Record_ShortWindow_LeavesOutWhatItCuts()
    {
        using var pipeline = TinyPipeline.Load();
        var words = TokenAttention.Record(pipeline, _request with { MaxSequenceLength = 1 }, ["cat"], blocks: [0]);
        Assert.All(words[0].Mean.Cast<double>(), value => Assert.InRange(value, 1e-6, 1));
    }

    [Fact]
    public void Record_WordThatIsNotThere_IsNamed()
    {
        using var pipeline = TinyPipeline.Load();
        Assert.Contains(
            "“dog”", Assert.Throws<LabException>(() => TokenAttention.Record(pipeline, _request, ["dog"])).Message,
            StringComparison.Ordinal);
    }
}
