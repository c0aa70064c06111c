using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Cli;

/// <summary>Ranks as processes of the program, one of which is ended or stopped from outside.</summary>
public sealed partial class RankProcessesTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly StringBuilder _shown = new();
    private readonly PictureSamples _pictures = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-rank-").FullName;

    public RankProcessesTests()
    {
        _pictures.AddMany(3);
    }

    public void Dispose()
    {
        _pictures.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Train_RankKilled_EndsAllNamesItAndKeepsTheSteps()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var run = Start();
        ProcessSignal.Send(RankOne(run), "KILL");
        var (code, error) = End(run);
        Assert.Equal(128 + 9, code);
        Assert.Matches("Rank 1 of 2 on .* has ended: its connection closed", error);
        Assert.Contains("rank 1 of 2 was ended by signal 9", error, StringComparison.Ordinal);
        AssertWhole();
    }

    [Fact]
    public void Train_RankStopped_EndsAllWithinTheLimit()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var run = Start(variables: ("LAB_HEARTBEAT_SECONDS", "8"));
        var stopped = RankOne(run);
        ProcessSignal.Send(stopped, "STOP");
        Await(run, () => Shown().Contains("was silent for 8 s", StringComparison.Ordinal));
        ProcessSignal.Send(stopped, "CONT");
        var (code, error) = End(run);
        Assert.Equal(1, code);
        Assert.Matches("Rank 1 of 2 on .* was silent for 8 s", error);
        AssertWhole();
    }

    [Fact]
    public void Train_Signal_EndsAllWithTheLoraSaved()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var run = Start();
        ProcessSignal.Send(run.Id, "TERM");
        Assert.Equal(130, End(run).Code);
        AssertWhole();
    }

    [Fact]
    public void Train_SignalWhileClassPicturesAreMade_IsNoError()
    {
        if (!OperatingSystem.IsLinux())
            return;
        var pictures = Path.Combine(_folder, "class");
        string[] prior = ["--with_prior_preservation", "--class_prompt=a cat", $"--class_data_dir={pictures}", "--num_class_images=100000"];
        using var run = Start(prior, () => Directory.Exists(pictures) && Directory.EnumerateFileSystemEntries(pictures).Any());
        ProcessSignal.Send(run.Id, "TERM");
        var (code, error) = End(run);
        Assert.Equal(130, code);
        Assert.DoesNotContain("error:", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Verdict_RankZeroEndedBySignalAndAnotherRuns_SaysSo()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var first = Rank("kill -9 $$");
        using var running = Rank("read line");
        Assert.True(SpinWait.SpinUntil(() => first.HasEnded, Patience));
        using var shown = new StringWriter();
        Assert.Equal(128 + 9, RankProcesses.Verdict([first, running], new Session(shown, shown, false, default)));
        Assert.Equal("error: rank 0 of 2 was ended by signal 9.", shown.ToString().Trim());
        Assert.False(running.HasEnded);
    }

    private static RankProcess Rank(string script) =>
        RankProcess.Start(["/bin/sh", "-c", script], new Dictionary<string, string>(), shown: true);

    private Process Start(
        IEnumerable<string>? more = null, Func<bool>? until = null, params (string Name, string Value)[] variables)
    {
        var start = new ProcessStartInfo(
            "dotnet",
            [
                LabProgram.Assembly, "train", "--num_processes=2", $"--pretrained_model_name_or_path={TinyPipeline.Folder}",
                $"--tokenizers={TinyTokenizers.Root}", $"--instance_data_dir={_pictures.Folder}", "--instance_prompt=a photo of gmc cat",
                $"--output_dir={Lora}", "--resolution=32", "--train_batch_size=1", "--max_sequence_length=32", "--rank=2", "--seed=5",
                "--device=cpu", "--max_train_steps=100000", .. more ?? [],
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["OMP_NUM_THREADS"] = "1";
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_shown)
                _shown.AppendLine(line.Data);
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        Await(process, until ?? (() => StepLog.Read(Lora).Count >= 2));
        return process;
    }

    private string Shown()
    {
        lock (_shown)
            return _shown.ToString();
    }

    private string Lora => Path.Combine(_folder, "lora");

    private void AssertWhole()
    {
        var steps = StepLog.Read(Lora).Count;
        var checkpoint = Assert.Single(TrainingCheckpoint.List(Lora));
        Assert.Equal(steps, checkpoint.Step);
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(checkpoint.Folder, LoraFile.DefaultName)),
            File.ReadAllBytes(Path.Combine(Lora, LoraFile.DefaultName)));
        Assert.DoesNotContain(Directory.GetFileSystemEntries(Lora), entry => Path.GetFileName(entry).StartsWith('.'));
    }

    private static int RankOne(Process starter) => Directory.GetDirectories("/proc")
        .Where(path => int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out _))
        .Where(path => ParentOf(path) == starter.Id && Variables(path).Contains("RANK=1"))
        .Select(path => int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture)).Single();

    private static int ParentOf(string path)
    {
        try
        {
            return int.Parse(Parent().Match(File.ReadAllText(Path.Combine(path, "status"))).Groups[1].Value, CultureInfo.InvariantCulture);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return -1; // It has ended meanwhile.
        }
    }

    private static string[] Variables(string path) => File.ReadAllText(Path.Combine(path, "environ")).Split('\0');

    [GeneratedRegex(@"^PPid:\s*(\d+)", RegexOptions.Multiline)]
    private static partial Regex Parent();

    private static void Await(Process process, Func<bool> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.False(process.HasExited, $"The program ended by itself, with {(process.HasExited ? process.ExitCode : 0)}.");
            Assert.True(clock.Elapsed < Patience, "The program did not get so far.");
            Thread.Sleep(20);
        }
    }

    private (int Code, string Error) End(Process process)
    {
        Assert.True(process.WaitForExit(Patience), "The program did not end.");
        process.WaitForExit();
        return (process.ExitCode, Shown());
    }
}
