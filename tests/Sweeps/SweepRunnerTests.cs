using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Tokenizers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Sweeps;

public sealed class SweepRunnerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-sweep-").FullName;
    private readonly StableDiffusion3Pipeline _pipeline = StableDiffusion3Pipeline.Load(
        Path.Combine(GoldenSet.SmallRoot, "pipelines", "tiny-sd35m"), new PipelineOptions { TokenizersFolder = TinyTokenizers.Root });

    public void Dispose()
    {
        _pipeline.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Run_Batches_GiveThePicturesOfSingleRuns()
    {
        var lora = SaveLora("lora.safetensors", seed: 1);
        var sweep = Sweep.Cross(
            "s", Axes() with
            {
                Prompts = ["a cat", "a dog on a beach"],
                Seeds = [0, 1],
                Loras = [null, new WeightedLora(lora), new WeightedLora(lora, 0.5)],
            });
        var single = Run(sweep, "single", batchSize: 1);
        var batched = Run(sweep, "batched", batchSize: 4);
        Assert.Equal(12, batched.Count);
        for (var i = 0; i < sweep.Items.Count; i++)
        {
            Assert.Equal((sweep.Items[i], single[i].Path), (batched[i].Item, batched[i].Path));
            Assert.InRange(LargestDifference(Load("single", single[i]), Load("batched", batched[i])), 0, 1);
        }

        Assert.Equal(12, batched.Select(result => Convert.ToBase64String(Load("batched", result).Pixels)).Distinct().Count());
        Assert.Empty(_pipeline.Adapters);
    }

    [Fact]
    public void Run_PartsThatAreKilledAndContinued_HaveTheBitsOfOneRun()
    {
        var sweep = Sweep.Cross(
            "s", Axes() with { Prompts = ["a cat", "a dog"], Seeds = [0, 1, 2], Loras = [null, new WeightedLora(SaveLora("l", 1))] });
        var whole = Run(sweep, "whole", batchSize: 4);
        Assert.Equal([12, 12], [whole.Count, sweep.Items.Count]);

        // The first part ends inside its first batch, as if it were killed; the second does all of its own.
        Assert.Throws<OperationCanceledException>(
            () => Part(sweep, "parts", new Shard(0, 2), onPicture: () => throw new OperationCanceledException()));
        Assert.Equal(7, Part(sweep, "parts", new Shard(1, 2)).Count);
        Assert.False(File.Exists(Path.Combine(At("parts"), SweepTable.FileName)));
        Assert.Equal(7, SweepLog.Read(At("parts")).Count);

        // Either part, or a run of everything, takes up what is missing.
        foreach (var (name, shard) in new[] { ("parts", new Shard(0, 2)), ("again", null) })
        {
            if (shard is null)
                Copy("half", name);
            else
                Copy(name, "half");
            Assert.Equal(
                whole.Select(result => result.Item), Part(sweep, name, shard).Select(result => result.Item));
            Assert.Equal(Files("whole"), Files(name));
            Assert.All(sweep.Paths(), path => Assert.Equal(Bytes("whole", path), Bytes(name, path)));
        }

        string[] Files(string name) => [.. Directory.GetFiles(At(name), "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(At(name), file)).Order(StringComparer.Ordinal)];
        byte[] Bytes(string name, string path) => File.ReadAllBytes(Path.Combine(At(name), path));
    }

    [Fact]
    public void Run_PartsWithAJudgeAtOnce_AreGatheredByTheLast()
    {
        var sweep = Sweep.Cross("s", Axes() with { Seeds = [0, 1, 2, 3] });
        IReadOnlyList<SweepResult> second = [];
        var first = Part(sweep, "parts", new Shard(0, 2), batchSize: 2, onPicture: () =>
        {
            if (second.Count == 0)
                second = Part(sweep, "parts", new Shard(1, 2), batchSize: 2);
            Assert.Throws<LabException>(() => Part(sweep, "parts", new Shard(0, 2)));
            Assert.Throws<LabException>(() => Part(sweep, "parts", new Shard(1, 3)));
            Assert.Throws<LabException>(() => Part(sweep, "parts", null));
        });
        Assert.Equal([3, 4], [second.Count, first.Count]);
        Assert.All(first, result => Assert.Equal(32, result.Scores!["size"]));
        Assert.Equal(sweep.Paths(), SweepLog.Read(At("parts")).Select(record => record.Path));
        Assert.Equal(
            [SweepTable.FileName, SweepLog.FileName], Directory.GetFiles(At("parts")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Run_OneItem_IsThePictureOfThePipelinesOwnSeed()
    {
        var result = Assert.Single(Run(Sweep.Cross("s", Axes() with { Seeds = [3], Guidances = [4] }), "one", batchSize: 4));
        var image = _pipeline.Generate(
            new GenerationRequest { Prompts = ["a cat"], Seed = 3, NumInferenceSteps = 2, GuidanceScale = 4, Height = 32, Width = 32 })[0];
        Assert.Equal(image.Pixels, Load("one", result).Pixels);
    }

    [Fact]
    public void Run_Samplers_AreAnAxisWhosePicturesDependOnNothingElse()
    {
        var sweep = Sweep.Cross(
            "s", Axes() with
            {
                Steps = 3,
                Seeds = [3, 4],
                Samplers = [SamplerKind.Euler, SamplerKind.Lcm],
                Sigmas = [SigmaSchedule.Model, SigmaSchedule.Karras],
            });
        Assert.Equal(
            ["euler, model levels, seed 3", "euler, karras levels, seed 3", "lcm, model levels, seed 3", "lcm, karras levels, seed 3"],
            sweep.Items.Where(item => item.Seed == 3).Select(item => item.Column));
        var batched = Run(sweep, "batched", batchSize: 4);
        File.Delete(Path.Combine(_folder, "batched", batched[5].Path));
        var before = Load("batched", batched[4]);
        Assert.Equal(batched[5].Item, Run(sweep, "batched", batchSize: 1)[5].Item);
        Assert.Equal(before.Pixels, Load("batched", batched[4]).Pixels);
        Assert.Equal(8, batched.Select(result => Convert.ToBase64String(Load("batched", result).Pixels)).Distinct().Count());
        var own = _pipeline.Generate(new GenerationRequest
        {
            Prompts = ["a cat"],
            Seed = 4,
            NumInferenceSteps = 3,
            GuidanceScale = sweep.Items[5].Guidance,
            Height = 32,
            Width = 32,
            Sampler = new SamplerConfig { Kind = SamplerKind.Lcm },
        })[0];
        Assert.Equal((SamplerKind.Lcm, SigmaSchedule.Model, 4ul), (batched[5].Item.Sampler, batched[5].Item.Sigmas, batched[5].Item.Seed));
        Assert.Equal(own.Pixels, Load("batched", batched[5]).Pixels);
    }

    [Fact]
    public void Run_Again_MakesOnlyWhatIsMissingOrChanged()
    {
        var sweep = Sweep.Cross("s", Axes() with { Seeds = [0, 1, 2] });
        Assert.Equal(3, Made(sweep));
        Assert.Equal(0, Made(sweep));
        Assert.Equal(0, Made(sweep with { Items = [.. sweep.Items.Select(item => item with { Column = "other" })] }));
        Assert.Equal("other", SweepLog.Read(At("sweep"))[0].Item.Column);
        File.Delete(Path.Combine(At("sweep"), sweep.Paths()[1]));
        Assert.Equal(1, Made(sweep));
        Assert.Equal(1, Made(sweep with { Items = [sweep.Items[0], sweep.Items[1] with { Guidance = 2 }, sweep.Items[2]] }));
        Assert.Equal(3, Made(sweep, model: "another"));
        File.Delete(Path.Combine(At("sweep"), SweepLog.FileName));
        Assert.Equal(3, Made(sweep, model: "another"));
    }

    [Fact]
    public void Run_LoraTrainedAnew_MakesItsPicturesAnew()
    {
        var lora = SaveLora("lora.safetensors", seed: 1);
        var sweep = Sweep.Cross("s", Axes() with { Loras = [null, new WeightedLora(lora)] });
        Assert.Equal(2, Made(sweep));
        SaveLora("lora.safetensors", seed: 2);
        Assert.Equal(1, Made(sweep));
        Assert.Equal(0, Made(sweep));
    }

    [Fact]
    public void Run_Cancelled_KeepsTheBatchesThatWereDone()
    {
        var sweep = Sweep.Cross("s", Axes() with { Seeds = [0, 1, 2, 3] });
        using var source = new CancellationTokenSource();
        var runner = new SweepRunner(_pipeline, new SweepRunnerOptions
        {
            BatchSize = 2,
            OnProgress = progress =>
            {
                if (progress.Done == 2)
                    source.Cancel();
            },
        });
        Assert.Throws<OperationCanceledException>(() => runner.Run(sweep, At("sweep"), source.Token));
        Assert.Equal(sweep.Paths().Take(2), SweepLog.Read(At("sweep")).Select(record => record.Path));
        Assert.Equal(2, Made(sweep));
        Assert.Equal(sweep.Paths(), SweepLog.Read(At("sweep")).Select(record => record.Path));
    }

    [Fact]
    public void Run_JudgeThatComesLater_ScoresWhatIsThere()
    {
        var sweep = Sweep.Cross("s", Axes() with { Seeds = [0, 1] });
        Made(sweep);
        Judged("first", image => image.Width);
        Judged("first", _ => -1);
        Assert.Equal([32, 32], Scores());
        Judged("second", image => image.Height + 1);
        Assert.Equal([33, 33], Scores());
        Assert.All(SweepLog.Read(At("sweep")), record => Assert.Equal("second", record.Judge));
        Judged("second", _ => 7, "other photos");
        Assert.Equal([7, 7], Scores());
        Judged("second", _ => -1, "other photos");
        Assert.Equal([7, 7], Scores());

        IEnumerable<double> Scores() => SweepLog.Read(At("sweep")).Select(record => record.Scores!["size"]);

        void Judged(string name, Func<RgbImage, double> size, string fingerprint = "photos")
        {
            var made = 0;
            new SweepRunner(_pipeline, new SweepRunnerOptions
            {
                Judge = new StubJudge(name, (_, image) => new Dictionary<string, double> { ["size"] = size(image) })
                {
                    Fingerprint = fingerprint,
                },
                OnPicture = (_, _) => made++,
            }).Run(sweep, At("sweep"));
            Assert.Equal(0, made);
        }
    }

    [Fact]
    public void Run_Progress_EndsWithEverythingDone()
    {
        var seen = new List<SweepProgress>();
        new SweepRunner(
            _pipeline, new SweepRunnerOptions
            {
                BatchSize = 2,
                OnProgress = seen.Add,
            }).Run(Sweep.Cross("s", Axes() with { Seeds = [0, 1, 2] }), At("sweep"));
        Assert.Equal(seen.Select(progress => progress.Fraction).Order(), seen.Select(progress => progress.Fraction));
        Assert.Equal((3, 3, 1.0), (seen[^1].Done, seen[^1].Total, seen[^1].Fraction));
        Assert.Contains(seen, progress => progress is { Done: 0, Step: 1, StepCount: 2, BatchSize: 2 });
    }

    [Fact]
    public void Run_FromAPicture_DependsOnNeitherBatchNorRunAndFollowsTheFile()
    {
        Directory.CreateDirectory(_folder);
        var image = At("photo.png");
        ImageEncoder.Save(image, PictureSamples.Draw(40, 20, 1));
        var sweep = Sweep.Cross("s", Axes() with
        {
            Guidances = [3],
            Image = image,
            Strengths = [0.5, 1],
            Seeds = [0, 1],
            GuidanceDetails = [new(), new() { Rescale = 0.7, Start = 0.1 }],
            CacheIntervals = [1],
            NegativePrompts = [null, "fog"],
        });
        Assert.Equal(["plain guidance, no negative prompt, strength 0.5, seed 0"], sweep.Items.Take(1).Select(item => item.Column));
        Assert.Equal(16, sweep.Items.Select(item => item.Settings).Distinct().Count());

        var (whole, single) = (Run(sweep, "whole", 4), Run(sweep, "single", 1));
        Assert.All(
            whole.Zip(single), pair => Assert.InRange(LargestDifference(Load("whole", pair.First), Load("single", pair.Second)), 0, 1));
        Assert.Equal(16, whole.Select(result => Convert.ToHexString(Load("whole", result).Pixels)).Distinct().Count());
        var first = PictureRecord.Read(ImageNote.Read(File.ReadAllBytes(Path.Combine(At("single"), single[3].Path))))!;
        Assert.Equal(
            Load("single", single[3]).Pixels, first.Repeat(_pipeline, (ImageDecoder.Load(image), null)).Pixels);
        Assert.Equal(16, Made(sweep));
        Assert.Equal(0, Made(sweep));
        ImageEncoder.Save(image, PictureSamples.Draw(40, 20, 2));
        Assert.Equal(16, Made(sweep));
    }

    [Fact]
    public void Run_WrongSize_SaysWhichSizesAreValid()
    {
        var error = Assert.Throws<LabException>(() => Run(Sweep.Cross("s", Axes() with { Width = 40 }), "wrong", batchSize: 1));
        Assert.Contains("multiples of 16", error.Message, StringComparison.Ordinal);
    }

    private static SweepAxes Axes() => new() { Prompts = ["a cat"], Guidances = [1], Steps = 2, Width = 32, Height = 32 };

    private string At(string name) => Path.Combine(_folder, name);

    private IReadOnlyList<SweepResult> Run(Sweep sweep, string name, int batchSize) =>
        new SweepRunner(_pipeline, new SweepRunnerOptions { BatchSize = batchSize }).Run(sweep, At(name));

    private IReadOnlyList<SweepResult> Part(Sweep sweep, string name, Shard? shard, int batchSize = 4, Action? onPicture = null) =>
        new SweepRunner(_pipeline, new SweepRunnerOptions
        {
            BatchSize = batchSize,
            Shard = shard,
            Judge = new StubJudge("j", (_, image) => new Dictionary<string, double> { ["size"] = image.Width }),
            OnPicture = (_, _) => onPicture?.Invoke(),
        }).Run(sweep, At(name));

    private void Copy(string from, string to)
    {
        foreach (var file in Directory.GetFiles(At(from), "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(At(to), Path.GetRelativePath(At(from), file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    private int Made(Sweep sweep, string? model = null)
    {
        var made = 0;
        var results = new SweepRunner(
            _pipeline, new SweepRunnerOptions { Model = model, OnPicture = (_, _) => made++ }).Run(sweep, At("sweep"));
        Assert.All(results, result => Assert.True(File.Exists(Path.Combine(At("sweep"), result.Path))));
        return made;
    }

    private RgbImage Load(string name, SweepResult result) => ImageDecoder.Load(Path.Combine(At(name), result.Path));

    private static int LargestDifference(RgbImage a, RgbImage b) => a.Pixels.Zip(b.Pixels, (x, y) => Math.Abs(x - y)).Max();

    private string SaveLora(string name, ulong seed)
    {
        var transformer = _pipeline.LoraComponents.Single(component => component.Prefix == "transformer");
        using var noGradients = no_grad();
        using var adapter = LoraAdapter.Create(
            "test", [(transformer, new LoraConfig { TargetModules = LoraConfig.TransformerTargets })], seed, CPU, ScalarType.Float32);
        using var generator = new Generator(seed, CPU);
        using var noise = randn(adapter.Parameters.shape, ScalarType.Float32, CPU, generator: generator) * 0.3;
        adapter.Parameters.copy_(noise);
        LoraFile.Save(At(name), adapter);
        return At(name);
    }
}
