using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Cli;

/// <summary><c>generate --from</c>: a picture again, by the record in its file.</summary>
internal sealed class GenerateFrom
{
    /// <summary>The flag that asks for it.</summary>
    public const string Flag = "from";

    private static readonly string[] Usual = ["data", "outputs"];
    private static readonly string[] Without = ["num_images", "prompts_file", "shard", "axis"];

    private readonly Session _session;
    private readonly RepeatedPicture _picture;
    private readonly GenerateConfig _config;
    private readonly IReadOnlyList<string> _places;

    private GenerateFrom(RepeatedPicture picture, Session session)
    {
        (_picture, _config, _session) = (picture, picture.Config, session);
        string[] usual = [.. Usual.Where(Directory.Exists)];
        _places = usual.Length == 0 ? ["."] : usual;
    }

    /// <summary>Repeats a picture.</summary>
    /// <param name="given">The flags on the command line.</param>
    /// <param name="session">Where it is told.</param>
    public static int Run(Dictionary<Flag, object?> given, Session session)
    {
        var source = (string?)given.Single(entry => entry.Key.Name == Flag).Value ?? string.Empty;
        foreach (var name in Without.Where(name => given.Keys.Any(flag => flag.Name == name)))
            session.Warn($"--{name} has no effect beside --from: one picture is repeated.");
        var picture = UsageErrors.In(() => RepeatedPicture.Read(source, given));
        if (picture.Record.ImageSha256 is null)
        {
            foreach (var name in RepeatedPicture.Begun.Where(name => given.Keys.Any(flag => flag.Name == name)))
                session.Warn($"--{name} has no effect: {source} was begun from noise.");
        }

        using var folder = RunFolder.Open(picture.Config.OutputDir, "generate", "output_dir");
        folder.ClearLeftovers();
        picture.CheckTarget();
        return new GenerateFrom(picture, session).Run();
    }

    private int Run()
    {
        var options = GenerateVerb.Options(_config);
        if (_picture.VaeDtype is { } vae)
            options = options with { VaeDtype = vae };
        var (model, loras) = ConsoleProgress.Run(_session, report => Find(options, report));
        var sources = _picture.FindSources([.. _places, Path.GetDirectoryName(Path.GetFullPath(_config.From!))!]);
        var guard = new MemoryGuard(model, _config.Device, GenerateVerb.Planned(_config, options) with
        {
            SampleBatchSize = _picture.Record.BatchSize,
        });
        var memory = guard.Choose(model, _config.Memory, _session.Output.WriteLine);
        using var pipeline = guard.Run(() => GenerateVerb.Load(model, memory.Apply(options), _session));
        foreach (var (path, weight) in loras)
            _session.Output.WriteLine($"{path}: {pipeline.LoadLora(path, weight)}");
        foreach (var change in _picture.Changes)
            _session.Output.WriteLine($"{change}.");
        var record = _picture.Final(pipeline, sources);
        var image = ConsoleProgress.Run(_session, report => guard.Run(() => record.Repeat(
            pipeline, Load(sources), step => report("Denoising", step.Step, step.Count, record.Prompt), _session.Cancellation)));
        record.Save(_picture.Target, image, !_config.NoMetadata);
        _session.Output.WriteLine($"{_picture.Target}: {_picture.Compare(image, pipeline.Options.Device)}");
        return ExitCode.Success;
    }

    private static (RgbImage Image, RgbImage? Mask)? Load((string Image, string? Mask)? sources) => sources is not { } files ? null
        : (ImageDecoder.LoadOverWhite(files.Image), SourcePictures.MaskOf(files.Image, files.Mask));

    private (string Model, IReadOnlyList<(string Path, double Weight)> Loras) Find(PipelineOptions options, ConsoleProgress.Report report)
    {
        var hub = new HubResolver(null, _session.Warn, new HubProgressLines(report, "Downloading"));
        var isNamed = !string.IsNullOrWhiteSpace(_config.PretrainedModelNameOrPath);
        string[] named = !isNamed ? []
            : [Directory.Exists(_config.PretrainedModelNameOrPath) ? _config.PretrainedModelNameOrPath
                : hub.Model(_config.PretrainedModelNameOrPath, _config.Revision, _config.Variant, _session.Cancellation)];
        var (model, isSame) = new PictureSearch(options).Model(_picture.Record, isNamed ? named : _places, isNamed);
        if (!isSame)
            _picture.Changes.Add(_picture.Record.ModelFingerprint is null
                ? $"model is {model}; the picture's record does not tell whether it is its own"
                : $"model is {model}, another than the picture's {_picture.Record.Model}, fingerprint {_picture.Record.ModelFingerprint}");
        return (model, Loras([.. _config.Loras.Select(lora => lora with
        {
            Path = Path.Exists(lora.Path) ? lora.Path : hub.Lora(lora.Path, cancellation: _session.Cancellation),
        })]));
    }

    // Named LoRA are where the picture's own may be; if they are not, they stand in its place.
    private (string Path, double Weight)[] Loras(WeightedLora[] named)
    {
        IReadOnlyList<string> places = named.Length == 0 ? _places : [.. named.Select(lora => lora.Path)];
        (UsedLora Lora, double Scale, string? Path)[] wanted =
        [
            .. _picture.Record.Loras.Zip(
                _picture.Record.LoraScale, (lora, scale) => (lora, scale, PictureSearch.Lora(lora, places))),
        ];
        if (wanted.Length > 0 && wanted.All(lora => lora.Path is not null))
            return [.. wanted.Select(lora => (lora.Path!, ScaleOf(lora.Path!, lora.Scale, named)))];
        if (named.Length == 0 && wanted.Length > 0)
            throw PictureSearch.Missing(wanted.First(lora => lora.Path is null).Lora, places);
        if (named.Length > 0 && wanted.Length > 0 && named.Any(lora => Directory.Exists(lora.Path) && !IsLora(lora.Path)))
            throw PictureSearch.Missing(wanted.First(lora => lora.Path is null).Lora, places);
        if (named.Length > 0)
        {
            var before = wanted.Length == 0 ? "none"
                : ShownText.Names([.. wanted.Select(lora => $"{lora.Lora.Name}, SHA-256 {lora.Lora.Sha256}")]);
            _picture.Changes.Add($"lora is {ShownText.Names([.. named.Select(lora => lora.Path)])}; the picture's was {before}");
        }

        return [.. named.Select(lora => (lora.Path, lora.Weight * _config.LoraScale))];
    }

    private double ScaleOf(string path, double scale, WeightedLora[] named)
    {
        var given = Array.Find(named, lora => IsLora(lora.Path) && RealPath.AreSame(LoraFile.Resolve(lora.Path), path) && lora.Weight != 1);
        var now = (given?.Weight ?? scale) * _config.LoraScale;
        if (now != scale)
        {
            _picture.Changes.Add(string.Create(
                CultureInfo.InvariantCulture, $"The scale of {Path.GetFileName(path)} is {now}; the picture's was {scale}"));
        }

        return now;
    }

    private static bool IsLora(string path)
    {
        try
        {
            return LoraFile.Resolve(path).Length > 0;
        }
        catch (LabException)
        {
            return false;
        }
    }
}
