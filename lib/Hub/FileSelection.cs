using System.IO.Enumeration;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Hub;

/// <summary>Chooses the files that are needed from a repository: only one precision, no pickles, nothing of other frameworks.</summary>
internal static partial class FileSelection
{
    /// <summary>The file that makes a repository a pipeline.</summary>
    public const string ModelIndex = "model_index.json";

    private static readonly string[] LoraNames = ["pytorch_lora_weights.safetensors", "adapter_model.safetensors"];
    private static readonly string[] EncoderFiles = ["config.json", "preprocessor_config.json"];
    private static readonly string[] TextExtensions = [".json", ".txt", ".model"];
    private static readonly string[] OtherWeights = [".bin", ".ckpt", ".pt", ".pth", ".msgpack", ".h5", ".onnx", ".onnx_data", ".gguf"];
    private static readonly string[] Weightless = ["tokenizer", "scheduler", "feature_extractor", "image_processor", "processor"];

    // model.safetensors, model.fp16.safetensors, model-00001-of-00002.safetensors, model.fp16-00001-of-00002.safetensors and the older
    // model-00001-of-00002.fp16.safetensors.
    [GeneratedRegex(
        @"^(?:model|diffusion_pytorch_model)(?:\.(?<variant>[A-Za-z][\w]*))?(?:-(?<part>\d{5})-of-(?<parts>\d{5}))?"
        + @"(?:\.(?<variant>[A-Za-z][\w]*))?\.safetensors$",
        RegexOptions.CultureInvariant)]
    private static partial Regex WeightsPattern { get; }

    [GeneratedRegex(
        @"^(?:model|diffusion_pytorch_model)(?:\.(?<variant>[A-Za-z]\w*))?\.safetensors\.index(?:\.(?<variant>[A-Za-z]\w*))?\.json$",
        RegexOptions.CultureInvariant)]
    private static partial Regex IndexPattern { get; }

    /// <summary>The files of a pipeline: of each component its configuration, tokenizer files, and one set of safetensors.</summary>
    /// <param name="files">Every file of the repository, as paths from the pipeline's root.</param>
    /// <param name="modelIndex">The text of <c>model_index.json</c>.</param>
    /// <param name="variant">The variant of the weights, or null for the plain files.</param>
    /// <param name="source">The repository's name, for messages.</param>
    /// <exception cref="HubException">A component has no safetensors, or none without a variant.</exception>
    /// <exception cref="LabException">The index is not valid.</exception>
    public static FileChoice Pipeline(IReadOnlyCollection<string> files, string modelIndex, string? variant, string source)
    {
        ArgumentNullException.ThrowIfNull(files);
        var (chosen, notes) = (new List<string> { ModelIndex }, new List<string>());
        var weighty = 0;
        foreach (var component in Components(modelIndex, source))
        {
            var inside = files.Where(
                file => file.StartsWith(component + "/", StringComparison.Ordinal) && file.IndexOf('/', component.Length + 1) < 0)
                .Select(file => file[(component.Length + 1)..]).ToList();
            chosen.AddRange(inside.Where(IsText).Select(name => $"{component}/{name}"));
            if (Weightless.Any(kind => component.StartsWith(kind, StringComparison.Ordinal)))
                continue;
            var weights = Weights(inside, component, variant, source, notes);
            chosen.AddRange(weights.Select(name => $"{component}/{name}"));
            weighty++;
        }

        if (weighty > 0 && notes.Count == weighty)
            throw new HubException(
                HubErrorKind.NoSafetensors,
                $"No component of {source} has weights of the variant '{variant}'{Variants(files)}. Leave --variant out "
                + "to take the plain files.");

        return new FileChoice([.. chosen.Distinct(StringComparer.Ordinal)], notes);
    }

    /// <summary>The files of a LoRA.</summary>
    /// <param name="files">Every file of the repository.</param>
    /// <param name="source">The repository's name, for messages.</param>
    /// <exception cref="HubException">There is no LoRA file, or more than one.</exception>
    public static FileChoice Lora(IReadOnlyCollection<string> files, string source)
    {
        ArgumentNullException.ThrowIfNull(files);
        var known = LoraNames.FirstOrDefault(files.Contains);
        var all = files.Where(file => file.EndsWith(".safetensors", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToList();
        var file = known ?? (all.Count == 1 ? all[0] : throw new HubException(HubErrorKind.NoSafetensors, all.Count == 0
            ? $"{source} holds no .safetensors file, so no LoRA that can be used "
                + $"here{(files.Any(IsOtherWeights) ? " (its weights are in another format; only safetensors are read)" : string.Empty)}."
            : $"{source} holds {all.Count} .safetensors files and no {LoraNames[0]}: name one, such as {source}/{all[0]}. Others: "
                + $"{string.Join(", ", all.Skip(1).Take(8))}."));
        return new FileChoice([file, .. files.Where(name => name == "adapter_config.json" && file == LoraNames[1])], []);
    }

    /// <summary>The files of an encoder of pictures.</summary>
    /// <param name="files">Every file of the repository.</param>
    /// <param name="source">The repository's name, for messages.</param>
    /// <exception cref="HubException">It is no such encoder, or has no safetensors.</exception>
    public static FileChoice Encoder(IReadOnlyCollection<string> files, string source)
    {
        ArgumentNullException.ThrowIfNull(files);
        var inside = files.Where(file => !file.Contains('/', StringComparison.Ordinal)).ToList();
        foreach (var needed in EncoderFiles)
        {
            if (!inside.Contains(needed))
                throw new HubException(
                    HubErrorKind.FileNotFound, $"{source} has no {needed}, so it is no encoder of pictures in the published layout.");
        }

        if (!inside.Any(name => WeightsPattern.IsMatch(name)) && inside.Where(IsOtherWeights).ToList() is { Count: > 0 } others)
        {
            // Both have model.safetensors on main.
            var other = source.Contains("clip", StringComparison.OrdinalIgnoreCase)
                ? "openai/clip-vit-large-patch14" : "facebook/dinov2-small";
            throw new HubException(
                HubErrorKind.NoSafetensors,
                $"{source} has no safetensors weights, only {string.Join(", ", others.Take(3))}: those formats can run code when they are "
                + $"opened and are not read here. {other} has safetensors. To use this one, convert it once where Python runs "
                + "(from_pretrained, then save_pretrained for model, image processor and tokenizer) and name that folder.");
        }

        return new FileChoice(
            [.. inside.Where(IsText), .. Weights(inside, "The root", variant: null, source, notes: [])], []);
    }

    /// <summary>The files that patterns name.</summary>
    /// <param name="files">Every file of the repository.</param>
    /// <param name="include">Names or patterns; empty: all.</param>
    /// <param name="exclude">Patterns of files that are left out.</param>
    /// <param name="source">The repository's name, for messages.</param>
    /// <exception cref="HubException">One of the names or patterns fits no file.</exception>
    public static FileChoice Matching(
        IReadOnlyCollection<string> files, IReadOnlyList<string> include, IReadOnlyList<string> exclude, string source)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(include);
        ArgumentNullException.ThrowIfNull(exclude);
        var missing = include.FirstOrDefault(pattern => !files.Any(file => Fits(pattern, file)));
        if (missing is not null)
            throw new HubException(HubErrorKind.FileNotFound, $"{source} has no file '{missing}'. {NearestNames.Describe(missing, files)}");
        return new FileChoice(
            [.. files.Where(
                file => (include.Count == 0 || include.Any(pattern => Fits(pattern, file)))
                    && !exclude.Any(pattern => Fits(pattern, file)))], []);
    }

    /// <summary>Whether a pipeline's files are all in a folder, as far as the folder itself can tell.</summary>
    internal static bool IsWhole(IReadOnlyCollection<string> files, string modelIndex, string? variant, string source, bool orNearest)
    {
        try
        {
            var choice = Pipeline(files, modelIndex, variant, source);
            return (orNearest || choice.Notes.Count == 0) && Components(modelIndex, source).All(component =>
                choice.Files.Any(file => file.StartsWith(component + "/", StringComparison.Ordinal))
                && choice.Files.Where(file => file.StartsWith(component + "/", StringComparison.Ordinal))
                    .Select(file => WeightsPattern.Match(file[(component.Length + 1)..])).Where(match => match.Groups["parts"].Success)
                    .ToList() is var parts
                && (parts.Count == 0
                || parts.Count == int.Parse(parts[0].Groups["parts"].Value, System.Globalization.CultureInfo.InvariantCulture)));
        }
        catch (HubException)
        {
            return false;
        }
    }

    private static List<string> Components(string modelIndex, string source)
    {
        return [.. JsonField.Parse(modelIndex, $"{ModelIndex} of {source}").Entries()
            .Where(entry => entry.Value.IsList && entry.Value.Items().ToList() is [_, { IsText: true }])
            .Select(entry => entry.Key)
            .Where(name => name.Length > 0 && !name.Contains('/', StringComparison.Ordinal))];
    }

    private static IEnumerable<string> Weights(List<string> inside, string component, string? variant, string source, List<string> notes)
    {
        var sets = inside.Select(name => (Name: name, Match: WeightsPattern.Match(name))).Where(entry => entry.Match.Success)
            .GroupBy(entry => entry.Match.Groups["variant"].Value, StringComparer.Ordinal)
            .ToDictionary(set => set.Key, set => set.ToList(), StringComparer.Ordinal);
        if (sets.Count == 0)
        {
            throw new HubException(HubErrorKind.NoSafetensors, inside.Any(IsOtherWeights)
                ? $"{component} of {source} has no safetensors weights, only {string.Join(", ", inside.Where(IsOtherWeights).Take(3))}: "
                    + "those formats can run code when they are opened and are not read here. Choose a "
                    + "revision with safetensors, or convert it."
                : $"{component} of {source} has no weights at all: neither model.safetensors nor diffusion_pytorch_model.safetensors.");
        }

        var named = sets.Keys.Where(name => name.Length > 0).Order(StringComparer.Ordinal).ToList();
        var wanted = variant is { Length: > 0 } && sets.ContainsKey(variant) ? variant : string.Empty;
        if (!sets.TryGetValue(wanted, out var set))
            throw new HubException(
                HubErrorKind.NoSafetensors,
                $"{component} of {source} has weights only as {string.Join(", ", named)}: give --variant {named[0]}.");
        if (variant is { Length: > 0 } && wanted.Length == 0)
            notes.Add($"{component} of {source} has no variant {variant}; its plain weights are used.");
        var single = set.Where(entry => !entry.Match.Groups["part"].Success).Select(entry => entry.Name).ToList();
        return single.Count > 0
            ? single.Take(1)
            : set.Select(entry => entry.Name)
                .Concat(
                    inside.Where(name => IndexPattern.Match(name) is { Success: true } index && index.Groups["variant"].Value == wanted));
    }

    private static string Variants(IEnumerable<string> files)
    {
        var names = files.Select(file => WeightsPattern.Match(file[(file.LastIndexOf('/') + 1)..]).Groups["variant"].Value)
            .Where(name => name.Length > 0).Distinct().Order(StringComparer.Ordinal).ToList();
        return names.Count == 0 ? string.Empty : $" (there is {string.Join(", ", names)})";
    }

    private static bool IsText(string name) =>
        TextExtensions.Contains(Path.GetExtension(name), StringComparer.Ordinal) && !name.Contains(".index.", StringComparison.Ordinal)
            && !name.StartsWith("openvino", StringComparison.Ordinal);

    private static bool IsOtherWeights(string name) => OtherWeights.Contains(Path.GetExtension(name), StringComparer.Ordinal);

    private static bool Fits(string pattern, string file) =>
        pattern == file || FileSystemName.MatchesSimpleExpression(pattern, file, ignoreCase: false);
}
