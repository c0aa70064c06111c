using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>The files of a training's LoRA: its own, in diffusers' layout, and those in other layouts beside it.</summary>
internal static class TrainingExports
{
    /// <summary>The layout of the LoRA itself.</summary>
    public const string Diffusers = "diffusers";

    /// <summary>The default of <see cref="DreamBoothConfig.ExportDtype"/>.</summary>
    public const string Auto = "auto";

    /// <summary>The folder of the layout peft.</summary>
    public const string PeftFolder = "peft";

    private const string ComfyUI = "comfyui";
    private const string Kohya = "kohya";
    private const string KohyaName = "kohya_lora_weights.safetensors";

    // What export_dtype takes was called export before layouts could be named.
    private static readonly string[] Dtypes = [Auto, "none", "fp32", "bf16", "fp16"];

    /// <summary>The files that are written beside the LoRA's own.</summary>
    public static IReadOnlyList<string> Files { get; } = [LoraExport.DefaultName, KohyaName];

    /// <summary>What is wrong with the layouts of a configuration, one sentence each.</summary>
    public static IEnumerable<string> Errors(DreamBoothConfig config)
    {
        foreach (var name in Layouts(config).Where(name => !LoraExport.Layouts.Contains(name)))
        {
            yield return $"export names '{ShownText.Line(name, 40)}'; valid is a list of "
                + $"{string.Join(", ", NearestNames.Of(name, LoraExport.Layouts, LoraExport.Layouts.Count))}.";
        }

        if (config.LoraBias && Layouts(config).FirstOrDefault(name => name is ComfyUI or Kohya) is { } without)
            yield return $"export names {without}, which has no place for the biases of lora_bias; diffusers and peft have.";
    }

    /// <summary>What has no effect, one sentence each.</summary>
    public static IEnumerable<string> Notices(DreamBoothConfig config)
    {
        if (IsDtype(config.Export))
        {
            yield return $"export is {config.Export}, as recipes of before 0.2 have it: it is taken as export_dtype, and export names "
                + $"layouts ({string.Join(", ", LoraExport.Layouts)}).";
        }

        if (Layouts(config).Contains(ComfyUI) && Dtype(config) != Auto)
            yield return $"export_dtype has no effect beside export {ComfyUI}: the file of that layout has the name.";
    }

    /// <summary>Checks that the layouts can express a LoRA, before it is trained.</summary>
    /// <param name="config">The training's configuration.</param>
    /// <param name="adapter">The LoRA.</param>
    /// <exception cref="LabException">A layout has no place for a part of it.</exception>
    public static void Check(DreamBoothConfig config, LoraAdapter adapter)
    {
        using var contents = LoraContents.Of(adapter);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        try
        {
            if (Layouts(config).Contains(Kohya))
                _ = LoraLayoutWriter.Kohya(contents.Layers).Count();
            if (Layouts(config).Contains(ComfyUI))
                _ = LoraLayoutWriter.ComfyUI(contents.Layers).Count();
        }
        catch (LabException error)
        {
            throw new LabException($"export is {config.Export}: {error.Message}", error);
        }
    }

    /// <summary>Writes a LoRA in all layouts, and deletes what an earlier one left in others.</summary>
    /// <param name="config">The training's configuration.</param>
    /// <param name="adapter">The LoRA.</param>
    /// <param name="warn">Told what a layout cannot express; or null.</param>
    /// <returns>The LoRA's own file.</returns>
    public static string Save(DreamBoothConfig config, LoraAdapter adapter, Action<string>? warn)
    {
        var own = Path.Combine(config.OutputDir, LoraFile.DefaultName);
        LoraFile.Save(own, adapter);
        using var contents = LoraContents.Of(adapter);
        string[] wanted = [.. Layouts(config).Where(layout => layout != Diffusers).Distinct()];
        foreach (var layout in wanted)
        {
            foreach (var loss in LoraExport.Save(PathOf(config.OutputDir, layout), contents, layout))
                warn?.Invoke($"export {layout}: {loss}");
        }

        foreach (var layout in new[] { Kohya, PeftFolder }.Except(wanted))
            Delete(config.OutputDir, layout);
        var folded = Path.Combine(config.OutputDir, LoraExport.DefaultName);
        if (wanted.Contains(ComfyUI))
            return own;
        if (FoldedDtype(config, adapter) is { } dtype)
            LoraExport.Save(folded, adapter, dtype, weight: 1);
        else
            File.Delete(folded);
        return own;
    }

    /// <summary>Says which files there are beside the LoRA and for whom, a line each; empty where there are none.</summary>
    public static IEnumerable<string> Describe(DreamBoothConfig config)
    {
        string[] layouts = [.. Layouts(config).Distinct()];
        var folded = Path.Combine(config.OutputDir, LoraExport.DefaultName);
        if (!layouts.Contains(ComfyUI) && File.Exists(folded))
        {
            yield return $"{LoraFile.DefaultName} is for diffusers, PEFT and this program, which read alpha from its header.";
            yield return $"{folded} is the same with alpha / rank in its weights, for ComfyUI and others that read no header.";
        }

        foreach (var layout in layouts.Where(layout => layout != Diffusers))
            yield return $"{PathOf(config.OutputDir, layout)}: the same in the layout of {layout}";
    }

    /// <summary>Deletes the files beside the LoRA's own.</summary>
    public static void Clear(string outputDir)
    {
        foreach (var layout in new[] { ComfyUI, Kohya, PeftFolder })
            Delete(outputDir, layout);
    }

    private static void Delete(string outputDir, string layout)
    {
        var path = PathOf(outputDir, layout);
        if (layout != PeftFolder)
        {
            File.Delete(path);
        }
        else if (Directory.Exists(path))
        {
            // Only what is written there: a folder of that name may hold files of the user's own.
            foreach (var name in new[] { LoraFile.PeftName, LoraMetadata.PeftConfigName })
                File.Delete(Path.Combine(path, name));
            if (!Directory.EnumerateFileSystemEntries(path).Any())
                Directory.Delete(path);
        }
    }

    private static string PathOf(string outputDir, string layout) => Path.Combine(outputDir, layout switch
    {
        ComfyUI => LoraExport.DefaultName,
        Kohya => KohyaName,
        _ => PeftFolder,
    });

    private static string[] Layouts(DreamBoothConfig config) => IsDtype(config.Export) ? [Diffusers]
        : config.Export.ToLowerInvariant().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static string Dtype(DreamBoothConfig config) => IsDtype(config.Export) ? config.Export : config.ExportDtype;

    private static bool IsDtype(string export) => Dtypes.Contains(export);

    private static ScalarType? FoldedDtype(DreamBoothConfig config, LoraAdapter adapter) => Dtype(config) switch
    {
        "none" => null,
        "bf16" => ScalarType.BFloat16,
        "fp16" => ScalarType.Float16,
        "fp32" => ScalarType.Float32,
        _ => adapter.Layers.Any(layer => layer.Factor != 1) ? ScalarType.Float32 : null,
    };
}
