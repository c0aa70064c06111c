using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Tests.Sweeps;

public class WeightedLoraTests
{
    [Theory]
    [InlineData("a/b.safetensors", "a/b.safetensors", 1.0)]
    [InlineData("a=0.8", "a", 0.8)]
    [InlineData("run=3/lora=-5e-1", "run=3/lora", -0.5)]
    [InlineData("rank=four", "rank=four", 1.0)]
    [InlineData("=1", "=1", 1.0)]
    public void Parse_Text_SplitsAtTheLastNumber(string text, string path, double weight) =>
        Assert.Equal(new WeightedLora(path, weight), WeightedLora.Parse(text));

    [Theory]
    [InlineData("0,5")]
    [InlineData("")]
    [InlineData("nan")]
    [InlineData("1e999")]
    public void Parse_PathThatExistsWithNoWeight_NamesTheWeight(string weight)
    {
        using var folder = new Tokenizers.TemporaryFolder();
        var error = Assert.Throws<UsageException>(() => WeightedLora.Parse($"{folder.Path}={weight}"));
        Assert.Equal($"lora has the weight '{weight}' for {folder.Path}; valid is a finite number such as 0.8.", error.Message);
    }

    [Fact]
    public void Parse_NameThatExists_IsThePathAsItStands()
    {
        using var folder = new Tokenizers.TemporaryFolder();
        var path = Path.Combine(folder.Path, "eq=0.5");
        Assert.Equal(new WeightedLora(Path.Combine(folder.Path, "eq"), 0.5), WeightedLora.Parse(path));
        Directory.CreateDirectory(path);
        Assert.Equal(new WeightedLora(path), WeightedLora.Parse(path));
        Assert.Equal(new WeightedLora(path, 0.25), WeightedLora.Parse(path + "=0.25"));
    }
}
