using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Tests.Evaluation;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Models.ImageEncoders;

public sealed class CLIPModelTests
{
    private const double Tolerance = 2e-5;

    public static TheoryData<GoldenCase> Models => GoldenSet.Cases("vision", file => file.Has("model.logits_per_image"));

    [Theory]
    [Trait("Category", "Parity")]
    [MemberData(nameof(Models))]
    public void Load_WholeModel_ComparesTextsAndPicturesAsTheReference(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var model = CLIPModel.Load(EncoderFixture.Folder(golden), TestDevice.Device, ScalarType.Float32);
        var text = model.Text.forward(golden.Load("text.input_ids").Here());
        GoldenAssert.Close(golden.Load("text.text_embeds"), text.TextEmbeds, Tolerance, "text_embeds");
        var states = golden.Load("text.last_hidden_state");
        GoldenAssert.Close(states, text.LastHiddenState.narrow(0, 0, states.shape[0]), Tolerance, "text.last_hidden_state");
        var image = model.Vision.forward(EncoderFixture.Pixels(golden)).Embedding;
        var (images, texts) = (nn.functional.normalize(image, dim: -1), nn.functional.normalize(text.TextEmbeds, dim: -1));
        GoldenAssert.Close(golden.Load("model.image_embeds"), images, Tolerance, "image_embeds");
        GoldenAssert.Close(golden.Load("model.text_embeds"), texts, Tolerance, "text_embeds, normalised");
        var logits = images.matmul(texts.t()).mul(Math.Exp(model.LogitScale));
        GoldenAssert.Close(golden.Load("model.logits_per_image"), logits, Tolerance, "logits_per_image");
    }

    [Fact]
    public void Load_ImageHalfThatDoesNotFit_LeavesNoTensors()
    {
        using var encoders = new SmallEncoders();
        var config = Path.Combine(encoders.Clip, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"image_size\": 32", "\"image_size\": 64", StringComparison.Ordinal));
        Assert.Equal(0, LiveTensors.LeftBy(() =>
            Assert.Throws<LabException>(() => CLIPModel.Load(encoders.Clip, CPU, ScalarType.Float32))));
    }

    [Fact]
    public void Load_ImageHalfAlone_SaysThatBothAreNeeded()
    {
        var folder = Path.Combine(GoldenSet.Second.Small, "vision", "clip-openai");
        var error = Assert.Throws<LabException>(() => CLIPModel.Load(folder, CPU, ScalarType.Float32));
        Assert.Contains("logit_scale", error.Message, StringComparison.Ordinal);
    }
}
