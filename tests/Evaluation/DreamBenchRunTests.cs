using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Evaluation;

public sealed class DreamBenchRunTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-dreambench-").FullName;
    private readonly SmallEncoders _encoders = new();
    private readonly List<string> _trained = [];

    public DreamBenchRunTests()
    {
        PaintedBenchmark.Write(Of("data"));
        File.WriteAllText(Of("recipe.json"), new DreamBoothConfig
        {
            PretrainedModelNameOrPath = TinyPipeline.Folder,
            Tokenizers = TinyTokenizers.Root,
            InstanceDataDir = "the benchmark's",
            InstancePrompt = "the benchmark's",
            Resolution = 32,
            MaxSequenceLength = 8,
            MaxTrainSteps = 2,
            CheckpointingSteps = 1,
        }.ToJson());
    }

    private DreamBenchConfig Config => new()
    {
        Dataset = Of("data"),
        Config = Of("recipe.json"),
        MaxPrompts = 2,
        Seeds = 2,
        NumSteps = 1,
        Height = 32,
        Width = 32,
        Device = "cpu",
        OutputDir = Of("out"),
        Dino = _encoders.Dino,
        Clip = _encoders.Clip,
    };

    public void Dispose()
    {
        _encoders.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Execute_ShardsThatAreInterrupted_GiveTheTableOfAWholeRun()
    {
        var whole = Run(Config with { OutputDir = Of("whole") });
        Assert.Equal(["striped_orange_cat", "spotted_white_dog", "blue_teapot"], whole.Rows.Select(row => row.Subject));
        Assert.All(whole.Rows, row => Assert.Equal((2, 4), (row.Prompts, row.Pictures)));
        using (var encoders = SubjectEncoders.Load(_encoders.Dino, _encoders.Clip, Config.Protocol, CPU, ScalarType.Float32))
        {
            var photos = DreamBenchDataset.Read(Of("data")).ToDictionary(
                subject => subject.Name, subject => encoders.Encode(RealPictures.Load(subject.Photos)));
            Assert.All(
                whole.Rows, row => Assert.Equal(SubjectScores.Ceiling(photos[row.Subject].Clip).Average(), row.Real["clip_i"], 1e-5));
        }

        Assert.Equal(whole.ToMarkdown(), File.ReadAllText(Of("whole", DreamBenchRun.TableName)));

        Assert.Single(Run(Config with { Shard = "1/2" }).Rows);
        using var source = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => Run(Config, record => source.Cancel(), source.Token));
        _trained.Clear();
        Assert.Equal(whole.ToCsv(), Run(Config).ToCsv());
        Assert.Equal(["striped_orange_cat 2", "blue_teapot 1", "blue_teapot 2"], _trained);

        _trained.Clear();
        Assert.Equal(whole.ToMarkdown(), Run(Config).ToMarkdown());
        Assert.Empty(_trained);
        Assert.Equal(2, Run(Config with { Seeds = 1, Subjects = "blue_teapot" }).Rows.Single().Pictures);
        Assert.Empty(_trained);
    }

    [Fact]
    public void Execute_NoEncoders_SaysSoBeforeAnythingIsTrained()
    {
        var error = Assert.Throws<LabException>(() => Run(Config with { Dino = null, Clip = null }));
        Assert.StartsWith("The benchmark needs two encoders: dino, such as facebook/dinov2-small", error.Message, StringComparison.Ordinal);
        Assert.Empty(_trained);
    }

    private DreamBenchTable Run(DreamBenchConfig config, Action<StepRecord>? onStep = null, CancellationToken cancellation = default)
    {
        var subject = string.Empty;
        var events = new TrainingEvents
        {
            OnStep = record =>
            {
                _trained.Add($"{subject} {record.Step}");
                onStep?.Invoke(record);
            },
        };
        return new DreamBenchRun(config, events) { OnSubject = name => subject = name.Split(',')[0] }.Execute(cancellation);
    }

    private string Of(params string[] parts) => Path.Combine([_folder, .. parts]);
}
