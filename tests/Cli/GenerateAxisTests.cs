using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;

namespace Dreambooth.Lab.Tests.Cli;

/// <summary><c>generate --axis</c>.</summary>
public sealed class GenerateAxisTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-axis-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Generate_Axes_MakeThePicturesOfPlainFlagsFromTheSameNoise()
    {
        string[] axes = ["--num_images=2", "--axis", "guidance=1,4", "num_steps=2,3"];
        Assert.Contains("8 pictures in", Generate("all", axes), StringComparison.Ordinal);
        var whole = Pixels("all");
        (int, string[])[] variants = [(0, ["--guidance=1", "--num_steps=2"]), (3, ["--guidance=4", "--num_steps=3"])];
        foreach (var (variant, flags) in variants)
        {
            Generate($"plain{variant}", ["--num_images=2", .. flags]);
            Assert.Equal(whole.Skip(2 * variant).Take(2), Pixels($"plain{variant}"));
        }

        Assert.Contains("\"guidance\"", File.ReadAllText(Path.Combine(_folder, "all", "index.html")), StringComparison.Ordinal);
        File.Delete(Files("all")[5]);
        Assert.Contains("8 pictures in", Generate("all", axes), StringComparison.Ordinal);
        Assert.Equal(whole, Pixels("all"));
        Assert.Contains("; 8 of them there", Generate("all", axes), StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_SettingsThatDoNotGoTogether_AreToldBeforeTheModelIsLoaded() => Assert.Contains(
        "cache_interval is 2, which needs one prediction a step",
        Generate("none", ["--axis", "cache_interval=1,2", "sampler=euler,heun"]), StringComparison.Ordinal);

    private string[] Files(string name) =>
        [.. Directory.GetFiles(Path.Combine(_folder, name), "*.png", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    private List<byte[]> Pixels(string name) => [.. Files(name).Select(file => ImageDecoder.Load(file).Pixels)];

    private string Generate(string name, string[] more)
    {
        var text = new StringWriter();
        LabCommandLine.Run(
            ["generate", "--model", TinyPipeline.Folder, $"--tokenizers={TinyTokenizers.Root}", "--num_steps=2", "--prompt=a cat",
                "--max_sequence_length=8", "--device=cpu", "--height=32", "--width=32", "--outdir", Path.Combine(_folder, name), .. more],
            new Session(text, text, IsInteractive: false, CancellationToken.None));
        return text.ToString();
    }
}
