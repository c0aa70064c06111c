using System.Text.Json;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Evaluation;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;

namespace Dreambooth.Lab.Tests.Cli;

/// <summary>Whole runs of the verb with small encoders on a tiny pipeline, and with the classifier on the miniature.</summary>
public sealed class EvaluateVerbTests : IDisposable
{
    private readonly PictureSamples _photos = new();
    private readonly SmallEncoders _encoders = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-evaluate-").FullName;

    public EvaluateVerbTests()
    {
        _photos.AddMany(3);
        File.WriteAllText(Out("prompts.txt"), "a photo of gmc cat\na gmc cat in the snow\n");
    }

    public void Dispose()
    {
        _photos.Dispose();
        _encoders.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Run_FoldersOfGenerate_ScoresEveryPictureByItsPrompt()
    {
        Succeeds("generate", "--outdir", Out("first"), "--num_images=2", "--seed=0", "--no_page");
        Succeeds("generate", "--outdir", Out("second"), "--num_images=2", "--seed=9");
        var (code, output, error) = Evaluate("--pictures", Out("first"), Out("second"));
        Assert.Equal((0, ""), (code, error));
        var lines = Scores();
        Assert.Equal(8, lines.Length);
        Assert.Equal(
            ["a gmc cat in the snow", "a photo of gmc cat"],
            lines.Select(line => line.GetProperty("prompt").GetString()).Distinct().Order());
        Assert.All(lines, line => Assert.Equal(
            ["clip_i", "clip_t", "copy", "dino", "diversity", "nearest", "surroundings"],
            line.GetProperty("scores").EnumerateObject().Select(score => score.Name).Order(StringComparer.Ordinal)));
        Assert.Contains("protocol published", File.ReadAllText(Out("out", "report.html")), StringComparison.Ordinal);
        Assert.Equal(9, File.ReadAllLines(Out("out", "scores.csv")).Length);
        Assert.Contains("All of it on one page: ", output, StringComparison.Ordinal);
        using var summary = JsonDocument.Parse(File.ReadAllText(Out("out", "summary.json")));
        var sets = summary.RootElement.GetProperty("sets").EnumerateArray();
        Assert.Equal(["first", "second"], sets.Select(set => set.GetProperty("name").GetString()));
    }

    [Fact]
    public void Run_SeveralSubjects_AreComparedWithEachOther()
    {
        File.WriteAllText(Out("prompts.txt"), "a photo of gmc cat\na photo of xyz dog\n");
        Succeeds("generate", "--outdir", Out("first"), "--num_images=2", "--seed=0", "--no_page");
        var (code, _, error) = Evaluate(
            "--pictures", Out("first"), "--subject", $"gmc cat={_photos.Folder}", $"xyz dog={Out("first")}");
        Assert.Equal(1, code);
        Assert.Contains("at least 2 are needed", error, StringComparison.Ordinal);
        (code, _, error) = Evaluate(
            "--pictures", Out("first"), "--subject", $"gmc cat={_photos.Folder}", $"xyz dog={Directory.GetDirectories(Out("first"))[0]}");
        Assert.Equal((0, ""), (code, error));
        using var summary = JsonDocument.Parse(File.ReadAllText(Out("out", "summary.json")));
        var rows = summary.RootElement.GetProperty("bleed").GetProperty("dino");
        Assert.Equal((2, 2), (rows.GetArrayLength(), rows[1].GetArrayLength()));
        Assert.Contains("Several subjects", File.ReadAllText(Out("out", "report.html")), StringComparison.Ordinal);
        (code, _, error) = Evaluate(
            "--pictures", Out("first"), "--subject", $"gmc cat={_photos.Folder}", $"abc fox={_photos.Folder}");
        Assert.Equal(0, code);
        Assert.Contains("No prompt names the subject 'abc fox'", error, StringComparison.Ordinal);
        Assert.DoesNotContain("'gmc cat'", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_PicturesWithoutPrompts_HaveNoAdherenceAndItSaysSo()
    {
        var (code, output, error) = Evaluate("--pictures", _photos.Folder);
        Assert.Equal(0, code);
        Assert.Contains("Pictures without a known prompt have no score of adherence", error, StringComparison.Ordinal);
        Assert.Contains("nothing is known of adherence", output, StringComparison.Ordinal);
        Assert.All(Scores(), line => Assert.False(line.GetProperty("scores").TryGetProperty("clip_t", out _)));
        // Each photo resembles itself most.
        Assert.All(Scores(), line => Assert.Equal(1, line.GetProperty("scores").GetProperty("nearest").GetDouble(), 1e-6));
        Assert.All(Scores(), line => Assert.Equal(line.GetProperty("path").GetString(), line.GetProperty("nearest").GetString()));
    }

    [Fact]
    public void Run_LoraWithACheckpoint_EvaluatesStagesAndScalesAndKeepsThePictures()
    {
        Assert.Equal(0, Run(
            "train", $"--pretrained_model_name_or_path={TinyPipeline.Folder}", $"--tokenizers={TinyTokenizers.Root}",
            $"--instance_data_dir={_photos.Folder}", "--instance_prompt=a photo of gmc cat", $"--output_dir={Out("lora")}",
            "--resolution=32", "--train_batch_size=1", "--max_sequence_length=32", "--rank=2", "--seed=5", "--device=cpu",
            "--max_train_steps=2", "--checkpointing_steps=1").Code);
        string[] arguments =
        [
            "--model", TinyPipeline.Folder, "--lora", Out("lora"), "--lora_scales=0.5,1", $"--tokenizers={TinyTokenizers.Root}",
            "--prompts_file", Out("prompts.txt"), "--class_prompt", "a photo of a cat", "--seeds=2", "--class_seeds=3", "--num_steps=1",
            "--width=32", "--height=32",
        ];
        var (code, _, error) = Evaluate(arguments);
        Assert.Equal((0, ""), (code, error));
        using var summary = JsonDocument.Parse(File.ReadAllText(Out("out", "summary.json")));
        var sets = summary.RootElement.GetProperty("sets").EnumerateArray().ToArray();
        var stages = LoraCheckpoints.Stages(Out("lora"), 9).Select(LoraCheckpoints.Name);
        Assert.Equal(
            ["no LoRA", .. stages.SelectMany(stage => new[] { $"{stage} × 0.5", $"{stage} × 1" })],
            sets.Select(set => set.GetProperty("name").GetString()));
        Assert.All(sets, set => Assert.Equal(
            (4, 3), (set.GetProperty("pictures").GetInt32(), set.GetProperty("class_pictures").GetInt32())));
        Assert.All(sets.Skip(1), set => Assert.All(
            ["drift", "leak", "pres"], score => Assert.True(set.GetProperty("means").TryGetProperty(score, out _), score)));
        var page = File.ReadAllText(Out("out", "report.html"));
        Assert.Contains("<summary>What the scores mean</summary>", page, StringComparison.Ordinal);
        Assert.Contains("class pictures a set", page, StringComparison.Ordinal);
        Assert.Matches(
            """(?s)lab-command">[^<]* generate --model [^<]*--lora_scale [^<]*--guidance 4 --num_steps 1 --height 32 --width 32<""", page);
        var before = Pictures();
        Assert.Equal(7 * sets.Length, before.Length);
        var (again, output, _) = Evaluate(arguments);
        Assert.Equal(0, again);
        Assert.Contains($", {before.Length} from an earlier run", output, StringComparison.Ordinal);
        Assert.Equal(before, Pictures());
    }

    [Fact]
    public void Run_MiniatureAndItsPhotos_AreJudgedByTheClassifier()
    {
        File.WriteAllText(Out("prompts.txt"), "a photo of gmc cat in a forest\n");
        var data = Path.Combine(GoldenSet.RepositoryRoot, "data");
        var (code, _, error) = Run(
            "evaluate", "--model", Path.Combine(data, "sd3-mini"), "--lora", Path.Combine(data, "gmc-cat-lora"), "--stages=1",
            "--lora_scales=1", "--prompts_file", Out("prompts.txt"), "--seeds=1", "--class_seeds=2", "--num_steps=1", "--device=cpu",
            "--instance_data_dir", Path.Combine(data, "cat_gmc"), "--output_dir", Out("out"));
        Assert.Equal((0, ""), (code, error));
        Assert.All(Scores(), line => Assert.Equal("the miniature's classifier, graded", line.GetProperty("judge").GetString()));
        Assert.All(Scores(), line => Assert.True(line.GetProperty("scores").TryGetProperty("fidelity", out _)));
        // The class prompt comes from the recipe beside the LoRA.
        Assert.Equal(4, Scores().Count(line => line.GetProperty("is_of_class").GetBoolean()));
    }

    [Fact]
    public void Run_WrongFolders_SayWhatIsWrongBeforeAnythingIsLoaded()
    {
        Fails("no-such-folder does not exist", "--pictures", Out("no-such-folder"));
        Fails("There are no pictures in", "--pictures", Directory.CreateDirectory(Out("empty")).FullName);
        Fails("is named twice", "--pictures", _photos.Folder, _photos.Folder + Path.DirectorySeparatorChar);
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Out("outer", "inner")).FullName, SweepLog.FileName), string.Empty);
        Fails($"holds a sweep in {Out("outer", "inner")}", "--pictures", Out("outer"));
        Fails("holds CLIP", "--pictures", _photos.Folder, "--dino", _encoders.Clip);
        Fails("There is no folder", "--pictures", _photos.Folder, "--dino", Out("no-dino"));
        Fails("--judge miniature", "--pictures", _photos.Folder, "--judge=miniature");
        File.Delete(_photos.PathOf("1.png"));
        File.Delete(_photos.PathOf("2.png"));
        Fails("has 1 photo of the subject; at least 2 are needed", "--pictures", _photos.Folder);
    }

    private void Fails(string message, params string[] arguments)
    {
        var (code, _, error) = Evaluate(arguments);
        Assert.Equal(1, code);
        Assert.StartsWith("error: ", error, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    private void Succeeds(params string[] arguments) => Assert.Equal(0, Run(
        [
            .. arguments, "--model", TinyPipeline.Folder, $"--tokenizers={TinyTokenizers.Root}", "--prompts_file", Out("prompts.txt"),
            "--num_steps=1", "--width=32", "--height=32", "--max_sequence_length=32", "--device=cpu",
        ]).Code);

    private (int Code, string Output, string Error) Evaluate(params string[] arguments) => Run(
        [
            "evaluate", "--instance_data_dir", _photos.Folder, "--dino", _encoders.Dino, "--clip", _encoders.Clip, "--output_dir",
            Out("out"), "--device=cpu", .. arguments,
        ]);

    private static (int Code, string Output, string Error) Run(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = LabCommandLine.Run(arguments, new Session(output, error, IsInteractive: false, CancellationToken.None));
        return (code, output.ToString(), error.ToString());
    }

    private JsonElement[] Scores() =>
        [.. File.ReadAllLines(Out("out", "scores.jsonl")).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];

    private (string, DateTime)[] Pictures() => [.. Directory.GetFiles(Out("out", "pictures"), "*.png", SearchOption.AllDirectories)
        .Order(StringComparer.Ordinal).Select(file => (file, File.GetLastWriteTimeUtc(file)))];

    private string Out(params string[] parts) => Path.Combine([_folder, .. parts]);
}
