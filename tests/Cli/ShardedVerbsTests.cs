using System.Text.Json;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Evaluation;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;

namespace Dreambooth.Lab.Tests.Cli;

/// <summary><c>generate</c> and <c>evaluate</c> by several processes that share a folder (<c>--shard</c>).</summary>
public sealed class ShardedVerbsTests : IDisposable
{
    private readonly PictureSamples _photos = new();
    private readonly SmallEncoders _encoders = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-parts-").FullName;

    public ShardedVerbsTests()
    {
        _photos.AddMany(2);
        File.WriteAllLines(Out("prompts.txt"), ["a photo of gmc cat", "a gmc cat in the snow", "a gmc cat"]);
    }

    public void Dispose()
    {
        _photos.Dispose();
        _encoders.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Generate_Parts_GiveTheFilesOfOneRun()
    {
        string[] arguments = ["generate", "--num_images=9"];
        Assert.Contains("27 pictures in", Runs([.. arguments, "--outdir", Out("whole")]), StringComparison.Ordinal);
        // Eight pictures and one of each prompt are generated together, whoever does it.
        Assert.Contains(
            "16 pictures in " + Out("parts") + ", part 0/2 of 27", Runs([.. arguments, "--outdir", Out("parts"), "--shard=0/2"]),
            StringComparison.Ordinal);
        foreach (var file in Pictures("parts").Take(3))
            File.Delete(file);
        Plant("img_01.png");
        Plant("img_08.png");
        Assert.Contains("11 pictures in", Runs([.. arguments, "--outdir", Out("parts"), "--shard=1/2"]), StringComparison.Ordinal);
        Assert.Equal(25, Directory.GetFiles(Out("parts"), "*img_*", Everything).Length);
        Assert.Contains(
            "; 24 of them there from an earlier run", Runs([.. arguments, "--outdir", Out("parts")]), StringComparison.Ordinal);
        Assert.Equal(Entries("whole"), Entries("parts"));
        Assert.All(Entries("whole"), name => Assert.Equal(File.ReadAllBytes(Out("whole", name)), File.ReadAllBytes(Out("parts", name))));
    }

    [Fact]
    public void Evaluate_Parts_AreScoredByTheLast()
    {
        Assert.Equal(0, Run([
            "train", $"--pretrained_model_name_or_path={TinyPipeline.Folder}", $"--tokenizers={TinyTokenizers.Root}",
            $"--instance_data_dir={_photos.Folder}", "--instance_prompt=a photo of gmc cat", $"--output_dir={Out("lora")}",
            "--resolution=32", "--train_batch_size=1", "--max_sequence_length=32", "--rank=2", "--seed=5", "--device=cpu",
            "--max_train_steps=1",
        ]).Code);
        string[] arguments =
        [
            "evaluate", "--lora", Out("lora"), "--lora_scales=1", "--class_prompt", "a photo of a cat", "--seeds=2", "--class_seeds=2",
            "--sample_batch_size=2", "--instance_data_dir", _photos.Folder, "--dino", _encoders.Dino, "--clip", _encoders.Clip,
        ];
        Runs([.. arguments, "--output_dir", Out("whole")]);
        Assert.Contains(
            "The pictures of part 1/2 are there; the part that ends last scores",
            Runs([.. arguments, "--output_dir", Out("parts"), "--shard=1/2"]), StringComparison.Ordinal);
        Assert.False(File.Exists(Out("parts", "scores.jsonl")));
        Assert.Contains(
            "All of it on one page", Runs([.. arguments, "--output_dir", Out("parts"), "--shard=0/2"]), StringComparison.Ordinal);
        Assert.Equal(
            File.ReadAllText(Out("whole", "scores.jsonl")),
            File.ReadAllText(Out("parts", "scores.jsonl")).Replace(Escaped(Out("parts")), Escaped(Out("whole")), StringComparison.Ordinal));
        Assert.Equal(Entries("whole"), Entries("parts"));
    }

    [Fact]
    public void Verbs_WrongParts_SayWhatIsValid()
    {
        var (code, _, error) = Run(["generate", "--model", TinyPipeline.Folder, "--prompt", "a cat", "--shard=4/4"]);
        Assert.Equal(2, code);
        Assert.Contains("shard is '4/4'; valid is PART/PARTS", error, StringComparison.Ordinal);
        (code, _, error) = Run(["evaluate", "--pictures", _photos.Folder, "--instance_data_dir", _photos.Folder, "--shard=0/2"]);
        Assert.Equal(2, code);
        Assert.Contains("shard divides the pictures that are generated", error, StringComparison.Ordinal);
    }

    private static EnumerationOptions Everything => new() { RecurseSubdirectories = true, AttributesToSkip = 0 };

    private static string Escaped(string path) => JsonSerializer.Serialize(path)[1..^1];

    private string Runs(string[] arguments)
    {
        var (code, output, error) = Run([
            .. arguments, "--model", TinyPipeline.Folder, $"--tokenizers={TinyTokenizers.Root}", "--prompts_file", Out("prompts.txt"),
            "--num_steps=1", "--width=32", "--height=32", "--device=cpu",
        ]);
        Assert.Equal((0, ""), (code, error));
        return output;
    }

    private static (int Code, string Output, string Error) Run(string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = LabCommandLine.Run(arguments, new Session(output, error, IsInteractive: false, CancellationToken.None));
        return (code, output.ToString(), error.ToString());
    }

    // As a part that was killed leaves it.
    private void Plant(string picture) =>
        File.WriteAllText(Out("parts", Path.GetDirectoryName(Entries("parts")[0])!, $".{picture}.{Guid.NewGuid():N}.tmp"), "half");

    private string[] Pictures(string folder) =>
        [.. Directory.GetFiles(Out(folder), "*.png", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    private string[] Entries(string folder) => [.. Directory.GetFiles(Out(folder), "*", Everything)
        .Select(file => Path.GetRelativePath(Out(folder), file)).Order(StringComparer.Ordinal)];

    private string Out(params string[] parts) => Path.Combine([_folder, .. parts]);
}
