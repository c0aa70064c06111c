using BitMiracle.LibTiff.Classic;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Data;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Kernel.Installation;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Tests.Imaging;
using Dreambooth.Lab.Tests.Tensors;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Fuzzing;

/// <summary>What the program keeps for itself, and files beside a training's.</summary>
internal sealed partial class FuzzReaders
{
    private const string Needed =
        """ "pretrained_model_name_or_path": "m", "instance_data_dir": "p", "instance_prompt": "a gmc cat" """;

    private static string[] KeptNames =>
    [
        "tiff", "queue", "queue state", "run record", "subjects", "picture record", "picture with a record", "picture log", "class picture",
        "kept encoding", "mask", "lora of another layout", "image encoder", "preprocessor", "classifier", "dreambench list",
        "measured runs", "kernel spec",
    ];

    private FuzzTarget Kept(string name) => name switch
    {
        "tiff" => new(name, [.. Tiffs()], bytes => ImageDecoder.Decode(bytes, "a.tif"), IsJson: false, Mutation.OfTiff),
        "queue" =>
            InFile(
                name, "runs.jsonl",
                ["// runs\n{" + Needed + ", \"rank\": 8}\n{" + Needed + ", \"name\": \"b\", \"learning_rate\": 1e-3}\n"],
                path => QueueFile.Read(path, null, new Dictionary<Flag, object?>(), _ => { })),
        "queue state" => QueueStates(name),
        "run record" =>
            InFile(
                name, RunRecord.FileName,
                ["""{"state": "running", "max_steps": 9, "started_at": "2026-01-31T12:00:00+00:00", "data_sha256": "ab", "pictures": [{"name": "a.png", "sha256": "cd", "caption": null}]}"""],
                path => Run(Path.GetDirectoryName(path)!)),
        "subjects" =>
            InFile(
                name, "subjects.json",
                ["""[{"instance_data_dir": "a", "instance_prompt": "a cat", "repeats": 2, "loss_weight": 0.5}, {"instance_data_dir": "b", "instance_prompt": "a dog"}]"""],
                path => SubjectsFile.Read(path, new TrainingSubject { InstanceDataDir = string.Empty, InstancePrompt = string.Empty })),
        "picture record" => Noted(name, Note(), Repeated),
        "picture with a record" => InFile(name, "a.png", [Picture(Note())], Repeated) with { IsJson = false },
        "picture log" => Logged(name),
        "class picture" =>
            Noted(
                name, """{"prompt": "a cat", "model": "m", "seed": 3, "index": 1, "steps": 28, "guidance": 7}""",
                path => ClassPictureOrigin.Check([path], "a cat", "m")),
        "kept encoding" => KeptEncoding(name),
        "mask" => Mask(name),
        "lora of another layout" => OtherLora(name),
        "image encoder" => Copied(name, "data/sd3-mini-encoders/dino", "config.json", Embed),
        "preprocessor" => Copied(name, "data/sd3-mini-encoders/clip", "preprocessor_config.json", Embed),
        "classifier" =>
            Copied(name, "data/sd3-mini-classifier", "config.json", folder =>
            {
                MiniatureFolder.WriteManifest(folder);
                AttributeClassifier.Load(folder, CPU).Dispose();
            }),
        "dreambench list" =>
            InFile(
                name, DreamBenchDataset.ListName,
                ["subject_name,class\na,cat\n\nObject Prompts\nprompt_list = [\n'a {0} {1} in the snow'.format(unique_token, class_token),\n]\nLive Subject Prompts\n'a {0} {1} asleep'.format(unique_token, class_token),\n"],
                path =>
                {
                    Directory.CreateDirectory(Path.Combine(Path.GetDirectoryName(path)!, "a"));
                    DreamBenchDataset.Read(Path.GetDirectoryName(path)!);
                }) with
            { IsJson = false },
        "measured runs" => Measured(name),
        "kernel spec" =>
            InFile(
                name, Path.Combine("lab", "kernel.json"),
                ["""{"argv": ["dotnet", "x.dll"], "display_name": "C#", "language": "C#", "metadata": {"program": "dreambooth-lab-kernel"}}"""],
                path => KernelSpecs.List(Path.GetDirectoryName(Path.GetDirectoryName(path))!)),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "There is no such reader."),
    };

    private IEnumerable<byte[]> Tiffs()
    {
        var path = Path.Combine(_folder, "a.tif");
        yield return TiffPictureTests.Write(path, 3);
        yield return TiffPictureTests.Write(path, 3, 8, Compression.LZW, 16);
        yield return TiffPictureTests.Write(path, 4, 16, Compression.ADOBE_DEFLATE, 0, separate: true, extra: 2);
        yield return TiffPictureTests.Write(path, 1, 8, Compression.PACKBITS, photometric: Photometric.MINISBLACK);
        yield return TiffPictureTests.Write(
            path, 1, photometric: Photometric.PALETTE,
            set: tiff => tiff.SetField(TiffTag.COLORMAP, new ushort[256], new ushort[256], new ushort[256]));
    }

    private static void Run(string folder)
    {
        File.WriteAllText(Path.Combine(folder, DreamBoothConfig.RecipeName), DreamBoothConfig.Sd35MediumTutorial.ToJson());
        File.WriteAllText(Path.Combine(folder, StepLog.FileName), string.Empty);
        TrainingRun.Read(folder);
    }

    private FuzzTarget QueueStates(string name)
    {
        var recipe = DreamBoothConfig.Sd35MediumTutorial;
        var entry = new QueueEntry(1, "a", recipe with { OutputDir = "outputs/a" });
        return InFile(
            name, QueueState.FileName,
            [$$"""{"outputs/a": {"state": "failed", "started_at": "2026-01-31T12:00:00+00:00", "ended_at": null, "message": "m", "recipe": {{recipe.ToJson()}} } }"""],
            path => QueueState.Open(Path.GetDirectoryName(path)!).Of(entry)?.Changes(entry.Config));
    }

    private static string Note() => new PictureRecord
    {
        Prompt = "a cat",
        Seed = 3,
        Guidance = 4,
        Steps = 20,
        Model = "m",
        Width = 16,
        Height = 16,
    }.ToNote();

    private byte[] Picture(string note)
    {
        var path = Path.Combine(_folder, "noted.png");
        ImageNote.Save(path, new RgbImage(16, 16), note);
        return File.ReadAllBytes(path);
    }

    // A mutated note in a whole picture. What is no text cannot be written into one.
    private FuzzTarget Noted(string name, string note, Action<string> read) => InFile(name, "note.json", [note], path =>
    {
        var picture = Path.ChangeExtension(path, ".png");
        File.WriteAllBytes(picture, Picture(File.ReadAllText(path)));
        read(picture);
    });

    private static void Repeated(string path)
    {
        SweepPagePicture.Read(Path.GetDirectoryName(Path.GetDirectoryName(path))!);
        RepeatedPicture.Read(path, new Dictionary<Flag, object?>());
    }

    private FuzzTarget Logged(string name)
    {
        var picture = Picture("{}");
        return InFile(
            name, PictureNotes.FileName,
            ["""{"path": "a.png", "sha256": "ab", "note": "{}"}""" + "\n" + """{"path": "b.png", "sha256": "cd", "note": "x"}""" + "\n"],
            path => PictureNotes.Read(Path.Combine(Path.GetDirectoryName(path)!, "a.png"), picture));
    }

    private FuzzTarget KeptEncoding(string name)
    {
        var folder = Path.Combine(_folder, name);
        var kept = new EncodingFolder(folder);
        using var values = arange(6, ScalarType.Float32);
        kept.Keep("key", new Dictionary<string, Tensor> { ["mean"] = values });
        var path = Directory.GetFiles(folder, "*.safetensors").Single();
        var right = File.ReadAllBytes(path);
        return new FuzzTarget(name, [right], bytes =>
        {
            File.WriteAllBytes(path, bytes);
            foreach (var tensor in kept.Find("key", CPU)?.Values ?? [])
            {
                // What is read is what was kept, whatever became of the file.
                Assert.Equal([0f, 1, 2, 3, 4, 5], tensor.data<float>().ToArray());
                tensor.Dispose();
            }
        }) with
        { IsJson = false };
    }

    private FuzzTarget Mask(string name)
    {
        var photos = Directory.CreateDirectory(Path.Combine(_folder, "masked")).FullName;
        File.WriteAllBytes(Path.Combine(photos, "a.png"), Picture("{}"));
        var pictures = PictureFolder.Read(photos, BadImagePolicy.Refuse).Pictures;
        var white = new RgbImage(16, 16);
        Array.Fill(white.Pixels, (byte)255);
        return InFile(
            name, "a.png", [ImageEncoder.EncodePng(white)],
            path => PictureMasks.Read(MaskSource.Folder, Path.GetDirectoryName(path), pictures)) with
        { IsJson = false };
    }

    // Of kohya's scripts, with alpha and a header that other programs read.
    private FuzzTarget OtherLora(string name)
    {
        const string Layer = "lora_unet_joint_blocks_0_x_block_attn_proj";
        var header =
            $$"""{"__metadata__":{"ss_network_dim":"1","ss_network_alpha":"1.0"},"{{Layer}}.alpha":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"{{Layer}}.lora_down.weight":{"dtype":"F32","shape":[1,4],"data_offsets":[4,20]},"{{Layer}}.lora_up.weight":{"dtype":"F32","shape":[4,1],"data_offsets":[20,36]} }""";
        var file = RawSafetensors.Bytes(header, 36).Select((value, i) => i >= 8 + header.Length ? (byte)(value & 0x3F) : value).ToArray();
        return InFile(name, "other.safetensors", [file], path =>
        {
            LoraInspection.Read(path, deep: true);
            using var contents = LoraContents.Read(path);
        }) with
        { IsJson = false };
    }

    private FuzzTarget Copied(string name, string source, string file, Action<string> read)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        foreach (var path in Directory.GetFiles(Path.Combine(ProjectFolder.Find(), source)))
            File.Copy(path, Path.Combine(folder, Path.GetFileName(path)), overwrite: true);
        return InFile(name, file, [File.ReadAllBytes(Path.Combine(folder, file))], _ => read(folder));
    }

    private static void Embed(string folder)
    {
        using var embedder = ImageEmbedder.Load(folder, ImageProtocol.Published, CPU, ScalarType.Float32);
        using var embedding = embedder.Encode([new RgbImage(20, 30)]);
    }

    private FuzzTarget Measured(string name)
    {
        var results = Path.Combine(ProjectFolder.Find(), "tests", "benchmarks", "results");
        var lines = Directory.GetFiles(results, "results.jsonl", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .SelectMany(File.ReadLines).Where(line => line.Contains("\"memory\"", StringComparison.Ordinal)).Take(2);
        var planner = new MemoryPlanner(ModelArchitecture.Sd35Medium);
        return InFile(
            name, "results.jsonl", [string.Join('\n', lines) + "\n"], path => MeasuredRuns.Read(Path.GetDirectoryName(path)!, planner));
    }
}
