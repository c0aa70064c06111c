using Dreambooth.Lab.Sweeps;
using static Dreambooth.Lab.Tests.Sweeps.SweepRecords;

namespace Dreambooth.Lab.Tests.Sweeps;

public class SweepTableTests
{
    [Fact]
    public void Format_Records_QuotesTextsAndHasAColumnForEachScore()
    {
        var lines = SweepTable.Format(
            [Record("a \"red\", small cat", 0.5, 3, 4, ("fidelity", 0.25)), Record("b", null, scores: ("identity", 1))]).Split("\r\n");
        Assert.Equal(
            "path,family,prompt,negative_prompt,seed,lora,lora_scale,guidance,steps,sampler,sigmas,width,height,seconds,fidelity,identity",
            lines[0]);
        Assert.Equal(
            "\"000_a \"\"red\"\", small cat/img_00.png\",,\"a \"\"red\"\", small cat\",,3,lora,0.5,4,28,euler,model,,,0.25,0.25,",
            lines[1]);
        Assert.Equal("000_b/img_00.png,,b,,0,,0,4,28,euler,model,,,0.25,,1", lines[2]);
        Assert.Equal(string.Empty, lines[3]);
    }
}
