using System.Xml.Linq;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tests.Display;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Cli;

public sealed class DemoVerbTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-demo-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Run_TinyModel_MakesThePageAndKeepsItsPicturesTheNextTime()
    {
        var options = Options();
        var (code, output, error) = Run(options);
        Assert.Equal((ExitCode.Success, ""), (code, error));
        Assert.Contains("Training 3/3", output, StringComparison.Ordinal);
        var page = XDocument.Load(Path.Combine(options.Output, "index.html")).Root!;
        // 24 instance pictures, 2 class pictures, 5 validation prompts before and after, 3 families of 2.
        Assert.Equal(24 + 2 + 10 + 6, page.Descendants("img").Count());
        Assert.Equal(["Before", "After"], page.ByClass("lab-group").Select(heading => heading.Value));
        Assert.All(page.ByClass("lab-faint"), dots => Assert.Equal(3, dots.Attribute("d")!.Value.Split("h0").Length - 1));
        Assert.NotEmpty(page.ByClass("lab-faint"));
        Assert.True(File.Exists(Path.Combine(options.Output, "recontextualization", "001_a photo of gmc cat in the snow", "img_00.png")));

        Assert.True(File.Exists(Path.Combine(options.Output, "art.png")));

        var times = Pictures(options);
        var (again, second, _) = Run(options);
        Assert.Equal(ExitCode.Success, again);
        Assert.DoesNotContain("Training", second, StringComparison.Ordinal);
        Assert.Equal(times, Pictures(options));
    }

    [Fact]
    public void Run_CancelledWhileTraining_WritesAPageAndTrainsTheNextTime()
    {
        var options = Options();
        using var source = new CancellationTokenSource();
        using var output = new TriggerWriter("Training 1/3", source.Cancel);
        var (code, _, error) = Run(options, output, source.Token);
        Assert.Equal(ExitCode.Cancelled, code);
        Assert.Contains("continues from here", error, StringComparison.Ordinal);
        var page = XDocument.Load(Path.Combine(options.Output, "index.html")).Root!;
        Assert.Contains("ended early", page.Descendants("footer").Single().Value, StringComparison.Ordinal);

        var before = File.GetLastWriteTimeUtc(
            Directory.GetFiles(Path.Combine(options.Output, "before"), "*.png", SearchOption.AllDirectories)[0]);
        var (again, text, _) = Run(options);
        Assert.Equal(ExitCode.Success, again);
        Assert.Contains("Training 3/3", text, StringComparison.Ordinal);
        Assert.Equal(
            before, File.GetLastWriteTimeUtc(
                Directory.GetFiles(Path.Combine(options.Output, "before"), "*.png", SearchOption.AllDirectories)[0]));
    }

    [Fact]
    public void Open_AnotherSeedOrFresh_RemovesWhatWasMade()
    {
        var options = Options();
        var picture = Path.Combine(options.Output, "before", "x.png");
        foreach (var (next, fresh, kept) in new[] { (options, false, true),
            (options with { Training = options.Training with { Seed = 9 } }, false, false), (options, true, false) })
        {
            DemoFolder.Open(options, fresh: false);
            AtomicFile.WriteAllText(picture, "x");
            DemoFolder.Open(next, fresh);
            Assert.Equal(kept, File.Exists(picture));
        }
    }

    [Fact]
    public void Open_FolderOfSomethingElse_IsRefusedAndLeftAlone()
    {
        File.WriteAllText(Path.Combine(_folder, "mine.txt"), "x");
        var error = Assert.Throws<LabException>(() => DemoFolder.Open(Options() with { Output = _folder }, fresh: true));
        Assert.Contains("not from an earlier demo", error.Message, StringComparison.Ordinal);
        Assert.Equal(["mine.txt"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("There is no model in ", "demo", "--model", "no-such-model")]
    [InlineData("The recipe ", "demo", "--recipe", "no-such-recipe.json")]
    public void Demo_MissingInput_SaysWhatAndWritesNothing(string message, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var target = Path.Combine(_folder, "out");
        var code = LabCommandLine.Run(
            [.. args, "--output", target], new Session(output, error, IsInteractive: false, CancellationToken.None));
        Assert.Equal(ExitCode.Failure, code);
        Assert.StartsWith("error: " + message, error.ToString(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(target));
    }

    private DemoOptions Options()
    {
        var output = Path.Combine(_folder, "out");
        return new DemoOptions
        {
            Training = new DreamBoothConfig
            {
                PretrainedModelNameOrPath = Path.Combine(GoldenSet.SmallRoot, "pipelines", "tiny-sd35m"),
                Tokenizers = TinyTokenizers.Root,
                MaxSequenceLength = 16,
                InstanceDataDir = Path.Combine(GoldenSet.RepositoryRoot, "data", "cat_gmc"),
                InstancePrompt = "a photo of gmc cat",
                Resolution = 32,
                WithPriorPreservation = true,
                ClassDataDir = DemoFolder.ClassPicturesOf(output),
                ClassPrompt = "a photo of a cat",
                NumClassImages = 2,
                TrainTextEncoder = true,
                TrainBatchSize = 2,
                MaxTrainSteps = 3,
                OutputDir = DemoFolder.LoraOf(output),
                Device = "cpu",
                Seed = 1,
            },
            Output = output,
            Prompts = Path.Combine(GoldenSet.RepositoryRoot, "data", "prompts", "miniature"),
            Steps = 2,
            ValidationSeeds = 1,
            PromptsPerFamily = 2,
        };
    }

    private static (int Code, string Output, string Error) Run(DemoOptions options)
    {
        using var output = new StringWriter();
        return Run(options, output, CancellationToken.None);
    }

    private static (int Code, string Output, string Error) Run(DemoOptions options, TextWriter output, CancellationToken cancellation)
    {
        using var error = new StringWriter();
        var code = DemoVerb.Run(options, fresh: false, new Session(output, error, IsInteractive: false, cancellation));
        return (code, output.ToString()!, error.ToString());
    }

    private static (string File, DateTime Written)[] Pictures(DemoOptions options) =>
        [.. Directory.GetFiles(options.Output, "img_*.png", SearchOption.AllDirectories).Order()
            .Select(file => (file, File.GetLastWriteTimeUtc(file)))];

    private sealed class TriggerWriter(string trigger, Action action) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.Contains(trigger, StringComparison.Ordinal) == true)
                action();
        }
    }
}
