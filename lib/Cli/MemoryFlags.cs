using System.CommandLine;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Cli;

/// <summary>The flags of <c>memory</c>: a recipe or the tutorial's settings, and what is changed of them.</summary>
internal sealed class MemoryFlags
{
    private const int CachedPictures = 48;

    private readonly Option<string?> _model = new("--model") { HelpName = "FOLDER", Description = "A model folder; its configuration files are enough. Default: Stable Diffusion 3.5-medium, or the recipe's model where that is a folder." };
    private readonly Option<string?> _config = new("--config") { HelpName = "FILE", Description = "A recipe, as train takes it." };
    private readonly Option<bool> _inference = new("--inference") { Description = "Drawing pictures only, nothing trained." };
    private readonly Option<int?> _resolution = new("--resolution") { Description = "Side of the training pictures in pixels." };
    private readonly Option<int?> _batch = new("--train_batch_size") { Description = "Instance pictures per micro-batch." };
    private readonly Option<int?> _rank = new("--rank") { Description = "Rank of the LoRA." };
    private readonly Option<string?> _precision = new("--mixed_precision") { Description = "no (32-bit floats), bf16 or fp16." };
    private readonly Option<bool> _checkpointing = new("--gradient_checkpointing") { Description = "Activations are computed again instead of kept." };
    private readonly Option<string?> _memory = new("--memory") { HelpName = "auto|fast|balanced|low", Description = "The memory mode that phases and cards are shown for; auto is the recipe's, or fast." };
    private readonly Option<bool> _freeT5 = new("--free_t5") { Description = "T5 is freed once prompts are encoded." };
    private readonly Option<int?> _images = new("--num_images") { Description = "Pictures drawn at a time." };
    private readonly Option<int?> _size = new("--size") { Description = "Side of drawn pictures in pixels." };
    private readonly Option<int?> _measure = new("--measure") { HelpName = "STEPS", Description = "Run the recipe for so many steps and show what was measured beside what was predicted." };
    private readonly Option<bool> _json = new("--json") { Description = "Print the report as JSON; sizes in bytes." };

    /// <summary>Adds the flags to a verb.</summary>
    public MemoryFlags(Command verb)
    {
        foreach (var option in new Option[] { _model, _config, _inference, _resolution, _batch, _rank, _precision, _checkpointing, _memory, _freeT5, _images, _size, _measure, _json })
            verb.Options.Add(option);
    }

    /// <summary>The model whose memory is planned.</summary>
    public ModelArchitecture Model(ParseResult result)
    {
        var folder = result.GetValue(_model) ?? (Config(result) is { } config && Directory.Exists(config.PretrainedModelNameOrPath) ? config.PretrainedModelNameOrPath : null);
        return folder is null ? ModelArchitecture.Sd35Medium : ModelArchitecture.Read(folder);
    }

    /// <summary>The run that is planned.</summary>
    /// <exception cref="UsageException">A value is out of range.</exception>
    public MemorySettings Settings(ParseResult result)
    {
        var config = Config(result);
        var settings = config is null ? MemorySettings.TutorialTraining : MemorySettings.Of(config, CachedPictures);
        if (result.GetValue(_inference))
            settings = MemorySettings.TutorialInference;
        settings = settings with
        {
            Resolution = result.GetValue(_resolution) ?? settings.Resolution,
            TrainBatchSize = result.GetValue(_batch) ?? settings.TrainBatchSize,
            Rank = result.GetValue(_rank) ?? settings.Rank,
            Dtype = result.GetValue(_precision) is { } name ? Precision(name) : settings.Dtype,
            VaeDtype = settings.Training == TrainingKind.None && result.GetValue(_precision) is { } same ? Precision(same) : settings.VaeDtype,
            GradientCheckpointing = settings.GradientCheckpointing || result.GetValue(_checkpointing),
            Memory = result.GetValue(_memory) is { } mode ? Mode(mode, settings.Memory) : settings.Memory,
            FreeT5 = result.GetValue(_freeT5),
            SampleBatchSize = result.GetValue(_images) ?? settings.SampleBatchSize,
            SampleResolution = result.GetValue(_size) ?? settings.SampleResolution,
        };
        try
        {
            settings.Validate();
            return settings;
        }
        catch (LabException error)
        {
            throw new UsageException(error.Message);
        }
    }

    /// <summary>The recipe, or null.</summary>
    public DreamBoothConfig? Config(ParseResult result)
    {
        if (result.GetValue(_config) is not { } path)
            return null;
        if (!File.Exists(path))
            throw new UsageException($"The recipe {path} does not exist.");
        return DreamBoothConfig.Read(path);
    }

    /// <summary>Steps to measure, or null.</summary>
    public int? Measure(ParseResult result) => result.GetValue(_measure) switch
    {
        < 1 => throw new UsageException("--measure takes a number of steps, 1 or more."),
        var steps => steps,
    };

    /// <summary>Whether the report is JSON.</summary>
    public bool Json(ParseResult result) => result.GetValue(_json);

    private static MemoryMode Mode(string name, MemoryMode auto) => name switch
    {
        "auto" => auto,
        "fast" => MemoryMode.Fast,
        "balanced" => MemoryMode.Balanced,
        "low" => MemoryMode.Low,
        _ => throw new UsageException($"--memory is '{name}'; auto, fast, balanced and low are valid."),
    };

    private static ScalarType Precision(string name) => name switch
    {
        "no" => ScalarType.Float32,
        "bf16" => ScalarType.BFloat16,
        "fp16" => ScalarType.Float16,
        _ => throw new UsageException($"--mixed_precision is '{name}'; no, bf16 and fp16 are valid."),
    };
}
