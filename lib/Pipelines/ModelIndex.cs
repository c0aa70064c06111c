using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tensors;

namespace Dreambooth.Lab.Pipelines;

/// <summary>A pipeline folder's <c>model_index.json</c>: which components it has and of what class.</summary>
public sealed class ModelIndex
{
    private static readonly Dictionary<string, string[]> Known = new(StringComparer.Ordinal)
    {
        ["transformer"] = ["SD3Transformer2DModel"],
        ["vae"] = ["AutoencoderKL"],
        ["scheduler"] = ["FlowMatchEulerDiscreteScheduler"],
        ["text_encoder"] = ["CLIPTextModelWithProjection"],
        ["text_encoder_2"] = ["CLIPTextModelWithProjection"],
        ["text_encoder_3"] = ["T5EncoderModel"],
        ["tokenizer"] = ["CLIPTokenizer", "CLIPTokenizerFast"],
        ["tokenizer_2"] = ["CLIPTokenizer", "CLIPTokenizerFast"],
        ["tokenizer_3"] = ["T5TokenizerFast", "T5Tokenizer"],
    };

    internal const string FileName = "model_index.json";

    private const string Needed = "A folder with model_index.json, transformer/, vae/, text_encoder/ and so on is needed, or one file such "
        + "as sd3.5_medium.safetensors.";

    private static readonly EnumerationOptions Below = new() { RecurseSubdirectories = true, MaxRecursionDepth = 2 };

    private static readonly string[] WeightsNames = [SD3Transformer2DModel.WeightsName, CLIPTextModelWithProjection.WeightsName];

    private readonly OrderedDictionary<string, string> _components;

    private ModelIndex(string folder, OrderedDictionary<string, string> components) => (Folder, _components) = (folder, components);

    /// <summary>The pipeline folder.</summary>
    public string Folder { get; }

    /// <summary>Its components with the files that lie in their folders.</summary>
    public IReadOnlyList<ModelComponent> Components => [.. _components.Select(component => Describe(component.Key, component.Value))];

    /// <summary>Reads the index and checks that the lab supports this pipeline.</summary>
    /// <param name="folder">The pipeline folder.</param>
    /// <exception cref="LabException">The folder or its index is missing, or it holds another kind of pipeline.</exception>
    public static ModelIndex Read(string folder)
    {
        if (!Directory.Exists(folder))
            throw new LabException($"There is no model folder at {folder}. {Needed}");
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            throw new LabException($"{folder} holds no {FileName}. {Advice(folder)}");
        var entries = JsonField.ReadFile(path);
        var kind = entries.Find("_class_name")?.Text() ?? "(none)";
        if (kind != "StableDiffusion3Pipeline")
            throw new LabException($"{path} describes a {ShownText.Line(kind)}; StableDiffusion3Pipeline is needed.");
        var components = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (component, classes) in Known)
        {
            if (ClassOf(entries, component) is not { } name)
                continue;
            if (!classes.Contains(name))
                throw new LabException($"{path}: {component} is a {ShownText.Line(name)}; {string.Join(" or ", classes)} is needed.");
            components.Add(component, name);
        }

        var missing = Known.Keys.Where(
            component => !component.EndsWith("_3", StringComparison.Ordinal) && !components.ContainsKey(component)).ToList();
        return missing.Count == 0
            ? new ModelIndex(folder, components)
            : throw new LabException($"{path} lacks {string.Join(", ", missing)}.");
    }

    /// <summary>Rejects a path to a file inside a model folder, before anything is read from it.</summary>
    /// <param name="path">What a user names as a model.</param>
    /// <exception cref="LabException">It is a model's index or another of its configuration files; the message names the model.</exception>
    internal static void RefuseConfigs(string path)
    {
        var name = Path.GetFileName(path);
        if (!name.EndsWith(".json", StringComparison.Ordinal) || name.Contains(".index.", StringComparison.Ordinal) || !File.Exists(path))
            return;
        var folder = Path.GetDirectoryName(path) is { Length: > 0 } own ? own : Path.GetFullPath(".");
        if (name == FileName)
            throw new LabException($"{path} is the index of a model: name its folder, {folder}.");
        if (WholeOf(path) is { } whole)
            throw new LabException($"{path} is a part of the model {whole}: name that.");
    }

    /// <summary>Files of a components folder that are not used.</summary>
    /// <param name="model">The model's folder or file.</param>
    /// <param name="components">The folder, or null.</param>
    /// <returns>A sentence where the model needs none; else null.</returns>
    internal static string? UnusedComponents(string model, string? components) => components is not null && Directory.Exists(model)
        ? $"components has no effect: {model} is a folder with all its parts, and not one file."
        : null;

    /// <summary>The model folder that a path leads into.</summary>
    /// <param name="path">A folder or a file that is no model.</param>
    /// <returns>The model's folder; null where it lies in none.</returns>
    internal static string? WholeOf(string path)
    {
        for (var (up, depth) = (Path.TrimEndingDirectorySeparator(path), 0); depth < 2; depth++)
        {
            up = Path.GetDirectoryName(up) is { Length: > 0 } parent ? parent : Path.GetDirectoryName(Path.GetFullPath(up)) ?? string.Empty;
            if (up.Length > 0 && File.Exists(Path.Combine(up, FileName)))
                return up;
        }

        return null;
    }

    /// <summary>Whether the pipeline has a component, for example <c>text_encoder_3</c>.</summary>
    /// <param name="component">The component's name.</param>
    public bool Has(string component) => _components.ContainsKey(component);

    /// <summary>
    /// Checks that at least one component has weights of a variant; the others are taken in their plain form, as in the reference.
    /// </summary>
    /// <param name="variant">The variant, as <c>fp16</c>; null needs nothing.</param>
    /// <exception cref="LabException">No component has it.</exception>
    public void RequireVariant(string? variant)
    {
        if (variant is null
            || _components.Keys.Any(component => WeightsNames.Any(name => Checkpoint.HasVariant(PathOf(component), name, variant))))
            return;
        throw new LabException(
            $"No component of {Folder} has weights of the variant '{ShownText.Line(variant)}' (as {WeightsNames[0]}.fp16.safetensors). "
            + "Leave --variant out to take the plain files.");
    }

    /// <summary>A component's folder.</summary>
    /// <param name="component">The component's name.</param>
    public string PathOf(string component) => Path.Combine(Folder, component);

    private static string Advice(string folder)
    {
        if (WholeOf(folder) is { } whole)
            return $"It is a part of the model {whole}: name that.";
        var inside = Directory.EnumerateFiles(folder, FileName, Below).Take(5).Select(file => Path.GetDirectoryName(file)!);
        string[] models = [.. inside.Order(StringComparer.Ordinal)];
        if (models.Length > 0)
            return $"Name a model in it: {string.Join(", ", models)}.";
        return File.Exists(Path.Combine(folder, LoraFile.DefaultName))
            ? $"It holds a LoRA, which is given beside a model. {Needed}"
            : Needed;
    }

    // [null, null] stands for a component that the model is published without.
    private static string? ClassOf(JsonField index, string component)
    {
        if (index.Find(component) is not { } entry)
            return null;
        JsonField[] pair = [.. entry.Items()];
        return pair.Length == 2
            ? pair[1].IsNull ? null : pair[1].Text()
            : throw entry.Wrong("a list of library and class, or of null and null");
    }

    private ModelComponent Describe(string name, string className)
    {
        var folder = new DirectoryInfo(PathOf(name));
        FileInfo[] files = folder.Exists ? [.. folder.GetFiles().OrderBy(file => file.Name, StringComparer.Ordinal)] : [];
        return new ModelComponent(
            name, className, [.. files.Select(file => file.Name)],
            files.Sum(file => file.ResolveLinkTarget(returnFinalTarget: true) is FileInfo target ? target.Length : file.Length));
    }
}
