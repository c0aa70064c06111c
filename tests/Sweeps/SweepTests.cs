using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Tests.Sweeps;

public class SweepTests
{
    [Fact]
    public void Cross_AllAxes_CombinesThemAndNamesWhatVaries()
    {
        var sweep = Sweep.Cross("s", new SweepAxes
        {
            Prompts = ["a cat", "a dog"],
            Seeds = [5, 6],
            Loras = [null, new WeightedLora("x", 0.5)],
            Guidances = [1, 4.5],
            Steps = 3,
            Family = "f",
        });
        Assert.Equal(16, sweep.Items.Count);
        Assert.Equal(16, sweep.Items.Distinct().Count());
        Assert.Equal(
            new SweepItem
            {
                Prompt = "a cat",
                Seed = 5,
                Guidance = 1,
                Steps = 3,
                Family = "f",
                Column = "no LoRA, guidance 1, seed 5",
            }, sweep.Items[0]);
        Assert.Equal(
            new SweepItem
            {
                Prompt = "a dog",
                Seed = 6,
                Lora = "x",
                LoraScale = 0.5,
                Guidance = 4.5,
                Steps = 3,
                Family = "f",
                Column = "LoRA 0.5, guidance 4.5, seed 6",
            },
            sweep.Items[^1]);
    }

    [Fact]
    public void Cross_SeedStride_CountsOnFromPromptToPrompt() =>
        Assert.Equal(
            [7, 8, 9],
            Sweep.Cross(
                "s", new SweepAxes { Prompts = ["a", "b", "c"], Seeds = [7], SeedStride = 1 }).Items.Select(item => (int)item.Seed));

    [Fact]
    public void Paths_SeveralPicturesOfAPrompt_AreTheTutorialsNames()
    {
        var sweep = new Sweep
        {
            Name = "s",
            Items = [.. new[] { "a: cat", "a dog", "a: cat" }.Select(prompt => new SweepItem { Prompt = prompt })],
        };
        Assert.Equal(["000_a_ cat/img_00.png", "001_a dog/img_00.png", "000_a_ cat/img_01.png"], sweep.Paths());
    }

    [Fact]
    public void BatchKey_PromptAndSeedDiffer_IsTheSame()
    {
        var item = new SweepItem { Prompt = "a", Seed = 1, Column = "x" };
        Assert.Equal(item.BatchKey, (item with { Prompt = "b", Seed = 2, Family = "y" }).BatchKey);
        Assert.NotEqual(item.BatchKey, (item with { Guidance = 2 }).BatchKey);
        Assert.NotEqual(item.BatchKey, (item with { Lora = "l" }).BatchKey);
    }

    [Fact]
    public void Cross_EmptyAxis_SaysWhatIsNeeded() =>
        Assert.Contains(
            "has no picture", Assert.Throws<LabException>(() => Sweep.Cross("s", new SweepAxes { Prompts = ["a"], Seeds = [] })).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Validate_StepsOutOfRange_NamesThePicture()
    {
        var sweep = new Sweep { Name = "s", Items = [new SweepItem { Prompt = "a" }, new SweepItem { Prompt = "b", Steps = 0 }] };
        Assert.Equal(
            "Picture 1 of the sweep 's' (\"b\") is not valid: steps is 0; 1 to 1000 is valid.",
            Assert.Throws<LabException>(sweep.Validate).Message);
    }
}
