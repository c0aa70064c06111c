using System.Diagnostics;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Cli;

/// <summary>The program as a process of its own that is ended from outside.</summary>
public sealed class KilledRunTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly PictureSamples _pictures = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-killed-").FullName;

    public KilledRunTests()
    {
        _pictures.AddMany(3);
    }

    public void Dispose()
    {
        _pictures.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Generate_KilledTwice_GoesOnAndEndsWithTheSamePictures()
    {
        File.WriteAllLines(Out("prompts.txt"), Enumerable.Range(0, 12).Select(i => $"cat {i}"));
        Finish(Start(Generate("whole")), expected: 0);
        foreach (var pictures in new[] { 2, 6 })
        {
            Kill(Start(Generate("killed")), () => Pictures("killed").Length >= pictures);
            Assert.InRange(Pictures("killed").Length, pictures, 12);
            Assert.All(Pictures("killed"), path => ImageDecoder.Load(path));
        }

        Plant(Out("killed", "000_cat 0"), "img_00.png");
        var before = Pictures("killed").ToDictionary(path => path, File.GetLastWriteTimeUtc);
        Finish(Start(Generate("killed")), expected: 0);
        Assert.All(before, entry => Assert.Equal(entry.Value, File.GetLastWriteTimeUtc(entry.Key)));
        Assert.Equal(Entries("whole"), Entries("killed"));
        Assert.All(Entries("whole"), name => Assert.Equal(File.ReadAllBytes(Out("whole", name)), File.ReadAllBytes(Out("killed", name))));
    }

    [Fact]
    public void Train_KilledWhileClassPicturesAreMade_GoesOnAndEndsWithTheSamePictures()
    {
        Finish(Start(ClassPictures("whole")), expected: 0);
        Kill(Start(ClassPictures("killed")), () => Directory.Exists(Out("killed"))
            && Directory.GetFiles(Out("killed"), "*.jpg").Length >= 2);
        Assert.All(Directory.GetFiles(Out("killed"), "*.jpg"), path => ImageDecoder.Load(path));
        Plant(Out("killed"), "2-x.jpg");
        Finish(Start(ClassPictures("killed")), expected: 0);
        Assert.Equal(Entries("whole"), Entries("killed"));
        Assert.Equal(6, Entries("killed").Length);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("HUP")]
    [InlineData("QUIT")]
    public void Train_Signal_SavesTheLora(string signal)
    {
        if (OperatingSystem.IsWindows())
            return;
        ProcessSignal.SkipWhereIgnored(signal);
        var process = Start(Train("--max_train_steps=100000"));
        Await(process, () => StepLog.Read(Out("lora")).Count >= 2);
        ProcessSignal.Send(process.Id, signal);
        if (signal == "HUP")
            ProcessSignal.Send(process.Id, signal); // A lost session sends it more than once.
        Finish(process, expected: 130);
        using var lora = SafetensorsFile.Open(Out("lora", LoraFile.DefaultName));
        Assert.NotEmpty(lora.Tensors);
        Assert.DoesNotContain(Entries("lora"), entry => entry.StartsWith('.'));
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("HUP")]
    public void Generate_Signal_LeavesWholePicturesAndGoesOn(string signal)
    {
        if (OperatingSystem.IsWindows())
            return;
        File.WriteAllLines(Out("prompts.txt"), Enumerable.Range(0, 300).Select(i => $"cat {i}"));
        var process = Start(Generate("ended"));
        Await(process, () => Pictures("ended").Length >= 2);
        ProcessSignal.Send(process.Id, signal);
        Finish(process, expected: 130);
        var before = Pictures("ended").ToDictionary(path => path, File.GetLastWriteTimeUtc);
        Assert.InRange(before.Count, 2, 299);
        Assert.All(before.Keys, path => ImageDecoder.Load(path));
        Assert.DoesNotContain(Entries("ended"), entry => Path.GetFileName(entry).StartsWith('.'));
        process = Start(Generate("ended"));
        Await(process, () => Pictures("ended").Length > before.Count);
        ProcessSignal.Send(process.Id, signal);
        Finish(process, expected: 130);
        Assert.All(before, entry => Assert.Equal(entry.Value, File.GetLastWriteTimeUtc(entry.Key)));
    }

    private string[] Generate(string folder) =>
    [
        "generate", "--model", TinyPipeline.Folder, $"--tokenizers={TinyTokenizers.Root}", "--num_steps=6", "--max_sequence_length=32",
        "--device=cpu", $"--prompts_file={Out("prompts.txt")}", "--outdir", Out(folder),
    ];

    private string[] Train(params string[] more) =>
    [
        "train", $"--pretrained_model_name_or_path={TinyPipeline.Folder}", $"--tokenizers={TinyTokenizers.Root}",
            $"--instance_data_dir={_pictures.Folder}",
        "--instance_prompt=a photo of gmc cat", $"--output_dir={Out("lora")}", "--resolution=32", "--train_batch_size=1",
            "--max_sequence_length=32",
        "--rank=2", "--seed=5", "--device=cpu", .. more,
    ];

    private string[] ClassPictures(string folder) => Train(
        "--max_train_steps=1", "--with_prior_preservation", "--class_prompt=a cat", $"--class_data_dir={Out(folder)}",
            "--num_class_images=6", "--sample_batch_size=1");

    private static Process Start(string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [LabProgram.Assembly, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["OMP_NUM_THREADS"] = "1";
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static void Await(Process process, Func<bool> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.False(process.HasExited, $"The program ended by itself, with {(process.HasExited ? process.ExitCode : 0)}.");
            Assert.True(clock.Elapsed < Patience, "The program did not get so far.");
            Thread.Sleep(5);
        }
    }

    private static void Kill(Process process, Func<bool> condition)
    {
        Await(process, condition);
        process.Kill(entireProcessTree: true);
        process.WaitForExit();
        process.Dispose();
    }

    private static void Finish(Process process, int expected)
    {
        Assert.True(process.WaitForExit(Patience), "The program did not end.");
        Assert.Equal(expected, process.ExitCode);
        process.Dispose();
    }

    private static void Plant(string folder, string name) =>
        File.WriteAllText(Path.Combine(folder, $".{name}.{Guid.NewGuid():N}.tmp"), "half a picture");

    private string[] Pictures(string folder) => Directory.Exists(Out(folder))
        ? Directory.GetFiles(Out(folder), "img_*.png", SearchOption.AllDirectories) : [];

    private string[] Entries(string folder) =>
    [
        .. Directory.GetFiles(Out(folder), "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
            .Select(path => Path.GetRelativePath(Out(folder), path)).Order(StringComparer.Ordinal),
    ];

    private string Out(params string[] parts) => Path.Combine([_folder, .. parts]);
}
