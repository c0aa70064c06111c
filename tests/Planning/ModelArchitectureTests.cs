using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Tests.Pipelines;

namespace Dreambooth.Lab.Tests.Planning;

public class ModelArchitectureTests
{
    // Counted on the reference's own full-size model: 2.243 thousand million numbers without the table of positions (384² × 1536); at rank
    // 4, 2.347 million numbers of LoRA on the transformer, 0.29 on CLIP-L, 1.31 on CLIP-G.
    [Fact]
    public void Components_Sd35Medium_AreThoseOfTheReference()
    {
        var model = ModelArchitecture.Sd35Medium;
        Assert.Equal(
            ["transformer", "vae", "text_encoder", "text_encoder_2", "text_encoder_3"],
            model.Components.Select(component => component.Name));
        Assert.Equal(2.243e9, model.Components[0].Parameters - (384.0 * 384 * 1536), 0.5e6);
        Assert.Equal(
            2_347_008, model.LoraParameters("transformer", new LoraConfig { Rank = 4, TargetModules = LoraConfig.TransformerTargets }));
        Assert.Equal(
            0.29e6, model.LoraParameters("text_encoder", new LoraConfig { Rank = 4, TargetModules = LoraConfig.TextEncoderTargets }),
            0.01e6);
        Assert.Equal(
            1.31e6, model.LoraParameters("text_encoder_2", new LoraConfig { Rank = 4, TargetModules = LoraConfig.TextEncoderTargets }),
            0.01e6);
    }

    [Fact]
    public void Read_AFolder_CountsWhatItsFilesHold()
    {
        var model = ModelArchitecture.Read(TinyPipeline.Folder);
        var files = ModelArchitecture.CountFiles(TinyPipeline.Folder).ToDictionary(size => size.Name);
        Assert.NotEmpty(files);
        Assert.All(
            model.Components.Where(component => files.ContainsKey(component.Name)),
            component => Assert.Equal(files[component.Name].Parameters, component.Parameters));
    }
}
