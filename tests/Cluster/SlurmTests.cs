using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Cluster;

/// <summary>The program as Slurm starts it, on the miniature; a class of minutes, run by name (<c>Category=Cluster</c>).</summary>
[Trait("Category", "Cluster")]
public sealed class SlurmTests(SlurmCluster slurm) : IClassFixture<SlurmCluster>, IDisposable
{
    private const int Prompts = 6, Steps = 6;

    private readonly string _folder = Directory.CreateTempSubdirectory("lab-slurm-run-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Generate_ArrayOfTheShippedFile_GivesTheFilesOfOneProcess()
    {
        Start();
        // The test's nodes have no GPU and one core.
        slurm.Run("sbatch", [
            "--wait", "--array=0-1", "--gres=none", "--cpus-per-task=1", "--output", Out("file.%a.log"),
            $"--export=ALL,LAB_PROGRAM={LabProgram.Assembly}", $"--chdir={GoldenSet.RepositoryRoot}",
            Path.Combine(GoldenSet.RepositoryRoot, "notebooks", "cluster", "sweep.sbatch"), .. Generate("file")[2..],
        ]);
        Assert.Contains($"3 pictures in {Out("file")}, part 1/2 of {Prompts}", Log("file", 1), StringComparison.Ordinal);
        Equal("file");
    }

    [Fact]
    public void Generate_RanksOfAStep_DivideThePictures()
    {
        Start();
        var output = slurm.Run("srun", ["-N2", "-n2", .. Generate("ranks", "--shard=auto")]);
        Assert.Contains($"3 pictures in {Out("ranks")}, part 0/2 of {Prompts}", output, StringComparison.Ordinal);
        Assert.Contains($"3 pictures in {Out("ranks")}, part 1/2 of {Prompts}", output, StringComparison.Ordinal);
        Equal("ranks");
    }

    [Fact]
    public void Generate_NodeThatIsLost_IsRequeuedAndGoesOn()
    {
        Start();
        var job = slurm.Run("sbatch", [
            "--parsable", "--requeue", "--open-mode=append", "--array=0-1", "--output", Out("lost.%a.log"), "--wrap",
            Line(Generate("lost", "--shard=auto")),
        ]).Trim();
        SlurmCluster.Await(() => Pictures("lost").Length >= 2, () => $"Nothing was generated: {Log("lost", 0)} {Log("lost", 1)}");
        var there = Pictures("lost").ToDictionary(path => path, File.GetLastWriteTimeUtc);
        var lost = slurm.Run("squeue", "--noheader", "--nodelist=n2", "--format=%a %i").Trim().Split(' ')[^1];
        Assert.StartsWith($"{job}_", lost, StringComparison.Ordinal);
        using var node = slurm.LoseNode("n2");
        // Slurm waits minutes before it starts a job again; the node that is left takes it.
        slurm.Run("scontrol", "update", $"JobId={lost}", "StartTime=now");
        SlurmCluster.Await(() => Queue().Length == 0, () => $"{Queue()} {Log("lost", 0)} {Log("lost", 1)}");
        Assert.Contains("Restarts=1", slurm.Run("scontrol", "show", "job", lost), StringComparison.Ordinal);
        Equal("lost");
        Assert.All(there, entry => Assert.Equal(entry.Value, File.GetLastWriteTimeUtc(entry.Key)));
    }

    [Fact]
    public void Train_RanksOfAStep_TakeTheStepsOfOneProcess()
    {
        Start();
        using var pictures = new PictureSamples();
        pictures.AddMany(3);
        slurm.Run("dotnet", Train(pictures.Folder, "alone", "--gradient_accumulation_steps=2"));
        // The nodes' names are known to Slurm alone.
        var output = slurm.Run("srun", [
            "-N2", "-n2", "--export=ALL,MASTER_ADDR=127.0.0.1,LAB_CLUSTER_SECRET=a-secret-of-this-test-only", "dotnet",
            .. Train(pictures.Folder, "together"),
        ]);
        var (alone, together) = (Losses("alone"), Losses("together"));
        Assert.Equal(Steps, alone.Length);
        Assert.True(alone.Distinct().Count() > 1);
        Assert.True(together.Length == Steps, output);
        Assert.All(alone.Zip(together), pair => Assert.Equal(pair.First, pair.Second, 1e-5 * pair.First));
    }

    private string[] Train(string pictures, string folder, params string[] more) =>
    [
        LabProgram.Assembly, "train", $"--pretrained_model_name_or_path={TinyPipeline.Folder}", $"--tokenizers={TinyTokenizers.Root}",
        $"--instance_data_dir={pictures}", "--instance_prompt=a photo of gmc cat", $"--output_dir={Out(folder)}", "--resolution=32",
        "--train_batch_size=1", "--max_sequence_length=32", "--rank=2", "--seed=5", "--device=cpu", $"--max_train_steps={Steps}", .. more,
    ];

    private double[] Losses(string folder) => [.. StepLog.Read(Out(folder)).Select(step => (double)step.Loss)];

    private void Start()
    {
        Assert.SkipWhen(slurm.Missing is not null, slurm.Missing ?? string.Empty);
        Directory.CreateDirectory(slurm.Shared);
        File.WriteAllLines(Out("prompts.txt"), Enumerable.Range(0, Prompts).Select(i => $"a photo of a cat in scene {i}"));
        if (!Directory.Exists(Whole))
            slurm.Run(Generate("whole")[0], Generate(Whole)[1..]);
    }

    private string Whole => Path.Combine(slurm.Shared, "whole");

    private string[] Generate(string folder, params string[] more) =>
    [
        "dotnet", LabProgram.Assembly, "generate", "--model", Path.Combine(GoldenSet.RepositoryRoot, "data", "sd3-mini"), "--num_steps=6",
        "--device=cpu", $"--prompts_file={Out("prompts.txt")}", $"--outdir={Out(folder)}", .. more,
    ];

    private static string Line(IEnumerable<string> command) => string.Join(' ', command.Select(word => $"'{word}'"));

    private string Queue() => slurm.Run("squeue", "--noheader").Trim();

    private string Log(string name, int task) => File.Exists(Out($"{name}.{task}.log")) ? File.ReadAllText(Out($"{name}.{task}.log")) : "";

    private void Equal(string folder)
    {
        Assert.True(
            Entries(Whole).SequenceEqual(Entries(Out(folder))),
            $"{string.Join(", ", Entries(Out(folder)))}. {Log(folder, 0)} {Log(folder, 1)}");
        Assert.All(
            Entries(Whole), name => Assert.Equal(File.ReadAllBytes(Path.Combine(Whole, name)), File.ReadAllBytes(Out(folder, name))));
    }

    private string[] Pictures(string folder) =>
        Directory.Exists(Out(folder)) ? Directory.GetFiles(Out(folder), "*.png", SearchOption.AllDirectories) : [];

    private static string[] Entries(string folder) =>
    [
        .. Directory.GetFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
            .Select(file => Path.GetRelativePath(folder, file)).Order(StringComparer.Ordinal),
    ];

    private string Out(params string[] parts) => Path.Combine([_folder, .. parts]);
}
