using System.Text;
using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Kernel.Notebooks;
using Dreambooth.Lab.Kernel.Protocol;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tensors;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Tokenizers;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Fuzzing;

/// <summary>Every reader of files and messages, each with right inputs; the readers of a hub's answers are beside the local hub.</summary>
internal sealed partial class FuzzReaders : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-fuzz-").FullName;
    private readonly Lazy<SD3Transformer2DModel> _transformer =
        new(() => SD3Transformer2DModel.Load(Path.Combine(TinyPipeline.Folder, "transformer"), CPU, ScalarType.Float32));

    public static IReadOnlyList<string> Names { get; } =
    [
        "recipe", "state", "transformer", "vae", "clip", "t5", "scheduler", "model index", "tokenizer config", "special tokens",
        "vocabulary", "merges", "pieces",
        "captions", "caption text", "adapter config", "lora", "safetensors", "shard index", "pictures", "notebook", "connection file",
        "message", "prompts",
        "sweep results", "step records", .. KeptNames,
    ];

    private static string Fixtures { get; } = Path.Combine(GoldenSet.RepositoryRoot, "tests", "fixtures");

    public void Dispose()
    {
        if (_transformer.IsValueCreated)
            _transformer.Value.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    public FuzzTarget Get(string name) => name switch
    {
        "recipe" =>
            InFile(name, "recipe.json", [DreamBoothConfig.Sd35MediumTutorial.ToJson()], path => DreamBoothConfig.Read(path).Validate()),
        "state" => InFile(name, TrainingState.FileName, [State()], path => TrainingState.Read(Path.GetDirectoryName(path)!)!.Config()),
        "transformer" => Component(name, "transformer"),
        "vae" => Component(name, "vae"),
        "clip" => Component(name, "text_encoder"),
        "t5" => Component(name, "text_encoder_3"),
        "scheduler" => Component(name, "scheduler", "scheduler_config.json"),
        "model index" => Component(name, ".", "model_index.json"),
        "tokenizer config" => Tokenizer(name, "tokenizer", "tokenizer_config.json"),
        "special tokens" => Tokenizer(name, "tokenizer", "special_tokens_map.json"),
        "vocabulary" => Tokenizer(name, "clip", "vocab.json"),
        "merges" => Tokenizer(name, "clip", "merges.txt") with { IsJson = false },
        "pieces" => Tokenizer(name, "t5", "spiece.model") with { IsJson = false },
        "captions" =>
            Captions(
                name, CaptionList.FileName,
                """{"file_name": "0.png", "text": "a cat", "n": 1}""" + "\n" + """{"file_name": "1.png", "text": "b"}""" + "\n"),
        "caption text" => Captions(name, "0.txt", "a photo of gmc cat, größer\n") with { IsJson = false },
        "adapter config" => Lora(name, config: true),
        "lora" => Lora(name, config: false) with { IsJson = false },
        "safetensors" =>
            InFile(
                name, "model.safetensors",
                [RawSafetensors.Bytes(
                    """{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[24,28]},"__metadata__":{"k":"v"}}""", 28)], LoadAll) with
            { IsJson = false },
        "shard index" => Shards(name),
        "pictures" =>
            new(
                name, [.. Directory.GetFiles(Path.Combine(Fixtures, "imaging", "modes"))
                    .Where(file => !file.EndsWith(".rgb", StringComparison.Ordinal)).Order().Select(File.ReadAllBytes)],
                    bytes => ImageDecoder.Decode(bytes, "a.png"), IsJson: false),
        "notebook" =>
            new(
                name, [.. Directory.GetFiles(Path.Combine(Fixtures, "notebooks"), "*.ipynb").Order().Select(File.ReadAllBytes)],
                bytes => NotebookDocument.Parse(bytes, "a.ipynb").ToBytes()),
        "connection file" =>
            InFile(
                name, "kernel.json",
                ["""{"shell_port":1,"iopub_port":2,"stdin_port":3,"control_port":4,"hb_port":5,"ip":"127.0.0.1","key":"k","transport":"tcp","signature_scheme":"hmac-sha256","kernel_name":"x"}"""], path => ConnectionFile.Read(path)),
        "message" => new(name, [Encoding.UTF8.GetBytes("""
            {"msg_id":"a","msg_type":"execute_request","session":"s","username":"u","version":"5.3","date":"2020"}
            {"msg_id":"b"}
            {}
            {"code":"1","silent":false,"store_history":true,"user_expressions":{},"allow_stdin":true}
            """)], Decode),
        "prompts" =>
            InFile(
                name, "prompts.txt", ["a cat\na photo of gmc cat in the snow\n\nein größerer Kater\n"],
                path => PromptList.Read(path)) with
            { IsJson = false },
        "sweep results" => InFile(name, SweepLog.FileName, [Results()], path => SweepLog.Read(Path.GetDirectoryName(path)!)),
        "step records" =>
            InFile(
                name, StepLog.FileName,
                ["""{"step":1,"epoch":0,"loss":0.5,"instance_loss":0.4,"learning_rate":0.0005,"grad_norm":1.5,"seconds":2,"images_per_second":4}""" + "\n"], path => StepLog.Read(path)),
        _ => Kept(name),
    };

    /// <summary>Reads a component's file in a whole pipeline, and makes a picture's prompt of it.</summary>
    public FuzzTarget Component(string name, string component, string file = "config.json")
    {
        var model = Path.Combine(_folder, "model");
        foreach (var source in Directory.Exists(model)
            ? []
            : Directory.EnumerateFiles(TinyPipeline.Folder, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(model, Path.GetRelativePath(TinyPipeline.Folder, source));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.CreateSymbolicLink(target, source);
        }

        var path = Path.Combine(model, component, file);
        var right = File.ReadAllBytes(path);
        return new(name, [right], bytes =>
        {
            Replace(path, bytes);
            try
            {
                using var pipeline = StableDiffusion3Pipeline.Load(model, new PipelineOptions { TokenizersFolder = TinyTokenizers.Root });
                using var text = pipeline.Prompts.Encode(["a photo of gmc cat"]);
            }
            finally
            {
                Replace(path, right);
            }
        });
    }

    /// <summary>Reads a tokenizer's file and tokenizes with it.</summary>
    public FuzzTarget Tokenizer(string name, string kind, string file)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        foreach (var source in Directory.EnumerateFiles(TinyTokenizers.Folder(kind))
            .Concat(Directory.EnumerateFiles(TinyTokenizers.Folder(kind == "t5" ? "tokenizer_3" : kind == "clip" ? "tokenizer" : "clip"))))
            File.Copy(source, Path.Combine(folder, Path.GetFileName(source)), overwrite: true);
        var path = Path.Combine(folder, file);
        return new(name, [File.ReadAllBytes(path)], bytes =>
        {
            File.WriteAllBytes(path, bytes);
            var tokenizer = TokenizerLoader.Load(folder, new TokenizerFiles(null, null));
            tokenizer.Encode("a photo of gmc cat, größer! 猫");
            tokenizer.EncodePadded("a photo of gmc cat", 32);
        });
    }

    private static void Replace(string path, byte[] bytes)
    {
        File.Delete(path);
        File.WriteAllBytes(path, bytes);
    }

    private static void LoadAll(string path)
    {
        using var scope = NewDisposeScope();
        using var checkpoint = Checkpoint.Open(path);
        foreach (var tensor in checkpoint.Names)
            checkpoint.Load(tensor);
    }

    private static void Decode(byte[] lines)
    {
        var parts = Encoding.Latin1.GetString(lines).Split('\n').Select(line => Encoding.Latin1.GetBytes(line.Trim('\r'))).ToList();
        var message = new MessageCodec("").Decode(["<IDS|MSG>"u8.ToArray(), [], .. parts]);
        _ = message?.ParentId;
    }

    private static string State() =>
        $$"""{"step": 2, "written_at": "2026-01-31T12:00:00+00:00", "started_at": "2026-01-31T11:00:00+00:00", "data_sha256": "ab", "recipe": {{DreamBoothConfig.Sd35MediumTutorial.ToJson()}}}""";

    private static string Results() => JsonLines.Text(Enumerable.Range(0, 3).Select(i =>
        new SweepResult
        {
            Path = $"{i}.png",
            Item = new SweepItem { Prompt = "p", Lora = "l" },
            Seconds = 1,
            Scores = new Dictionary<string, double> { ["s"] = 0.5 },
        }));

    private FuzzTarget InFile(string name, string file, byte[][] seeds, Action<string> read)
    {
        var path = Path.Combine(_folder, name, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return new(name, seeds, bytes =>
        {
            File.WriteAllBytes(path, bytes);
            read(path);
        });
    }

    private FuzzTarget InFile(string name, string file, string[] seeds, Action<string> read) =>
        InFile(name, file, [.. seeds.Select(Encoding.UTF8.GetBytes)], read);

    private FuzzTarget Captions(string name, string file, string right)
    {
        var target = InFile(name, file, [right], path =>
        {
            var folder = Path.GetDirectoryName(path)!;
            var captions = CaptionFiles.Read(folder, DreamBoothDatasetOptions.DefaultImageColumn, null);
            captions.Of(Path.Combine(folder, "0.png"));
        });
        var picture = Directory.GetFiles(Path.Combine(Fixtures, "imaging", "modes"), "*.png")[0];
        for (var i = 0; i < 2; i++)
            File.Copy(picture, Path.Combine(_folder, name, $"{i}.png"));
        return target;
    }

    private FuzzTarget Lora(string name, bool config)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        var width = _transformer.Value.Config.InnerDim;
        var header =
            $$"""{"base_model.model.transformer_blocks.0.attn.to_q.lora_A.weight":{"dtype":"F32","shape":[1,{{width}}],"data_offsets":[0,{{4 * width}}]},"base_model.model.transformer_blocks.0.attn.to_q.lora_B.weight":{"dtype":"F32","shape":[{{width}},1],"data_offsets":[{{4 * width}},{{8 * width}}] } }""";
        // Bytes up to 127 alone, so that no weight is not a number.
        var weights = RawSafetensors.Bytes(header, 8 * width).Select((value, i) => i >= 8 + header.Length ? (byte)(value & 0x3F) : value)
            .ToArray();
        var settings = Encoding.UTF8.GetBytes(
            """{"r":1,"lora_alpha":2,"alpha_pattern":{"attn.to_q":4},"rank_pattern":{},"use_rslora":false,"target_modules":["to_q"]}""");
        File.WriteAllBytes(Path.Combine(folder, "adapter_model.safetensors"), weights);
        File.WriteAllBytes(Path.Combine(folder, "adapter_config.json"), settings);
        var path = Path.Combine(folder, config ? "adapter_config.json" : "adapter_model.safetensors");
        return new(name, [config ? settings : weights], bytes =>
        {
            File.WriteAllBytes(path, bytes);
            LoraFile.Load(
                Path.Combine(folder, "adapter_model.safetensors"), "fuzz", [new LoraComponent("transformer", _transformer.Value)], CPU,
                ScalarType.Float32).Adapter.Dispose();
        });
    }

    private FuzzTarget Shards(string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        File.WriteAllBytes(
            Path.Combine(folder, "model-1.safetensors"),
            RawSafetensors.Bytes("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4));
        return InFile(
            name, "model.safetensors.index.json", ["""{"metadata": {"total_size": 4}, "weight_map": {"a": "model-1.safetensors"}}"""],
            LoadAll);
    }
}
