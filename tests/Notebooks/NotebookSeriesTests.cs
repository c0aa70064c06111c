using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Kernel.Notebooks;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Notebooks;

/// <summary>
/// The notebooks of notebooks/: every one runs from top to bottom as a user's would, and what is committed is what its code gave.
/// </summary>
public sealed class NotebookSeriesTests : IDisposable
{
    /// <summary>The environment variable with the seconds that the whole series may take; not set means that nobody measures.</summary>
    private const string Budget = "LAB_SERIES_SECONDS";

    private static readonly TimeSpan s_cell = TimeSpan.FromMinutes(4);
    private static TimeSpan s_total;
    private readonly string _folder = Directory.CreateTempSubdirectory("series-").FullName;

    private static string Notebooks => Path.Combine(GoldenSet.RepositoryRoot, "notebooks");

    // A theory needs a row; the empty name stands for a folder without notebooks.
    public static TheoryData<string> Names =>
        Directory.Exists(Notebooks) && Directory.EnumerateFiles(Notebooks, "*.ipynb").Any()
            ? [.. Directory.EnumerateFiles(Notebooks, "*.ipynb").Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)]
            : [""];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [Trait("Category", "Notebooks")]
    [MemberData(nameof(Names))]
    public void Run_NotebookWithTheTinyPreset_Succeeds(string name)
    {
        Assert.SkipWhen(name.Length == 0, "there are no notebooks yet");
        var (clock, processor) = (Stopwatch.StartNew(), ProcessorTimeOfChildren());
        var (code, output) = RunVerb(
            Path.Combine(Notebooks, name), "-p", "preset=Tiny", "--output", _folder, "--quiet", "--timeout",
            s_cell.TotalSeconds.ToString(CultureInfo.InvariantCulture));
        // On a machine with other work a notebook waits for its turn; the processor time is what it takes where it has the machine to
        // itself.
        var worked = ProcessorTimeOfChildren() - processor;
        s_total += worked > TimeSpan.Zero && worked < clock.Elapsed ? worked : clock.Elapsed;
        Assert.True(code == 0, output);
        Assert.True(File.Exists(Path.Combine(_folder, name)), output);
        if (Environment.GetEnvironmentVariable(Budget) is { Length: > 0 } seconds)
            Assert.True(
                s_total.TotalSeconds <= double.Parse(seconds, CultureInfo.InvariantCulture),
                $"the notebooks so far took {s_total}, more than {seconds} s");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Read_CommittedNotebook_NamesNoFolderOfTheMachineThatRanIt(string name)
    {
        Assert.SkipWhen(name.Length == 0, "there are no notebooks yet");
        var text = File.ReadAllText(Path.Combine(Notebooks, name));
        Assert.DoesNotMatch(@"(?<![\w.:/~-])/(?:home|root|Users|tmp|work|mnt|srv|opt|var|workspace)/\w", text);
    }

    [Theory]
    [Trait("Category", "Notebooks")]
    [MemberData(nameof(Names))]
    public void Check_CommittedNotebook_HoldsTheOutputsOfItsCode(string name)
    {
        Assert.SkipWhen(name.Length == 0, "there are no notebooks yet");
        Assert.Empty(NotebookCheck.Of(Path.Combine(Notebooks, name)));
    }

    // What needs no weights works: parameters, the photos, the preflight, the plan. Then the hub says what is missing.
    [Theory]
    [Trait("Category", "Notebooks")]
    [InlineData("00-set-up", "settings.ModelFolder()")]
    [InlineData("01-profile-memory", "MemoryTrial.Run(")]
    [InlineData("02-train-a-lora", "TrainingSession.LoadPipeline(")]
    [InlineData("03-recontextualize", "SweepStudy.Open(", "lora=data/gmc-cat-lora")]
    [InlineData("04-render-as-art", "SweepStudy.Open(", "lora=data/gmc-cat-lora")]
    [InlineData("05-modify-properties", "SweepStudy.Open(", "lora=data/gmc-cat-lora")]
    [InlineData("06-compare-and-choose", "SweepStudy.Open(", "run=data/gmc-cat-lora")]
    [InlineData("07-your-own-subject", "TrainingSession.Train(", "photos")]
    [InlineData("08-inside-sd3", "SweepStudy.Open(", "lora=data/gmc-cat-lora")]
    public void Run_NotebookWithTheFullPresetAndNoModel_GoesAsFarAsTheModel(string name, string needsTheModel, string? parameter = null)
    {
        // The lab's own pictures are too small for the real model.
        if (parameter == "photos")
            parameter = $"photos={LargePhotos()}";
        var (code, output) = RunVerb(
            environment: [("HF_HOME", _folder), ("HF_HUB_OFFLINE", "1")],
            [
                Path.Combine(Notebooks, name + ".ipynb"), "-p", "preset=Full",
                .. parameter is null ? Array.Empty<string>() : ["-p", parameter],
                "--output", _folder, "--quiet",
            ]);
        Assert.Equal(1, code);
        var failure = output.IndexOf(" failed:", StringComparison.Ordinal);
        Assert.True(failure >= 0 && output.IndexOf(needsTheModel, StringComparison.Ordinal) > failure, output);
        Assert.Contains("stabilityai/stable-diffusion-3.5-medium", output[failure..], StringComparison.Ordinal);
        Assert.Contains("offline", output[failure..], StringComparison.OrdinalIgnoreCase);
    }

    // .NET Interactive installs a kernel of that name, and so does this program: both open the notebook with no question.
    [Theory]
    [Trait("Category", "Notebooks")]
    [MemberData(nameof(Names))]
    public void Metadata_OfANotebook_NamesTheKernelThatBothProgramsInstall(string name)
    {
        Assert.SkipWhen(name.Length == 0, "there are no notebooks yet");
        var metadata = JsonNode.Parse(File.ReadAllBytes(Path.Combine(Notebooks, name)))!["metadata"]!;
        Assert.Equal((".net-csharp", "C#"), (metadata["kernelspec"]!["name"]!.ToString(), metadata["language_info"]!["name"]!.ToString()));
    }

    private string LargePhotos()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "photos")).FullName;
        var photos = Directory.GetFiles(Path.Combine(GoldenSet.RepositoryRoot, "data", "cat_gmc"), "*.png").Order(StringComparer.Ordinal);
        foreach (var file in photos.Take(6))
            ImageEncoder.Save(Path.Combine(folder, Path.GetFileName(file)), ImageResizer.Resize(ImageDecoder.Load(file), 640, 640));
        return folder;
    }

    // Of the processes that have ended and those that they started, by proc(5): fields 16 and 17, in hundredths of a second.
    private static TimeSpan ProcessorTimeOfChildren()
    {
        if (!OperatingSystem.IsLinux())
            return TimeSpan.Zero;
        var text = File.ReadAllText("/proc/self/stat");
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return TimeSpan.FromMilliseconds(
            10 * (long.Parse(fields[13], CultureInfo.InvariantCulture) + long.Parse(fields[14], CultureInfo.InvariantCulture)));
    }

    // A process of its own, as a user starts it.
    private static (int Code, string Output) RunVerb(params string[] arguments) => RunVerb([], arguments);

    internal static (int Code, string Output) RunVerb(
        (string Name, string Value)[] environment, string[] arguments, string? folder = null)
    {
        var start = new ProcessStartInfo("dotnet", [LabProgram.Assembly, "run", .. arguments])
        {
            WorkingDirectory = folder ?? string.Empty,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // The test run's own limit is for its small tensors.
        start.Environment.Remove("OMP_NUM_THREADS");
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.Result);
    }
}
