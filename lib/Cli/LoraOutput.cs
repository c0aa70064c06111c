using System.CommandLine;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;

namespace Dreambooth.Lab.Cli;

/// <summary>Where a verb of <c>lora</c> writes a LoRA, and in which layout.</summary>
internal sealed class LoraOutput
{
    private readonly Option<string> _path = new("--output", "-o")
    {
        HelpName = "FILE",
        Required = true,
        Description = "What to write: a file; for the layout of peft a folder.",
    };

    private readonly Option<bool> _force = new("--force") { Description = "Replace a LoRA that is there." };

    private readonly Option<string> _layout;

    /// <summary>Adds the options to a verb.</summary>
    /// <param name="verb">The verb.</param>
    /// <param name="isLayoutRequired">Whether the layout must be given; else it is that of diffusers.</param>
    public LoraOutput(Command verb, bool isLayoutRequired = false)
    {
        var layouts = $"The layout: {string.Join(", ", LoraExport.Layouts)}; comfyui stands for the original names.";
        _layout = new Option<string>("--to")
        {
            HelpName = "LAYOUT",
            Required = isLayoutRequired,
            Description = isLayoutRequired ? layouts : $"{layouts} [default: diffusers]",
        };
        if (!isLayoutRequired)
            _layout.DefaultValueFactory = _ => "diffusers";
        verb.Options.Add(_layout);
        verb.Options.Add(_path);
        verb.Options.Add(_force);
    }

    /// <summary>What was given.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="sources">The files that are read, which must not be replaced.</param>
    /// <exception cref="UsageException">There is no such layout, or a source would be replaced.</exception>
    public (string Path, string Layout) Of(ParseResult result, params IEnumerable<string> sources)
    {
        var (path, layout) = (result.GetValue(_path)!, result.GetValue(_layout)!.ToLowerInvariant());
        if (!LoraExport.Layouts.Contains(layout))
            throw new UsageException($"--to is {ShownText.Line(layout, 40)}; valid is {string.Join(", ", LoraExport.Layouts)}.");
        if (sources.FirstOrDefault(source => RealPath.AreSame(source, LoraExport.FileOf(path, layout))) is { } read)
            throw new UsageException($"--output {path} would replace {read}, the file that is read; give another.");
        return (path, layout);
    }

    /// <summary>Rejects an output that is there already, but for <c>--force</c>.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="path">What was given for the output.</param>
    /// <param name="layout">The layout.</param>
    /// <exception cref="UsageException">A LoRA would be replaced, or a folder is in its place.</exception>
    public void RequireNew(ParseResult result, string path, string layout)
    {
        var file = LoraExport.FileOf(path, layout);
        if (Directory.Exists(file))
        {
            throw new UsageException(
                $"--output {file} is a folder, and the layout of {layout} is one file; name one, such as "
                + $"{Path.Combine(file, layout)}.safetensors.");
        }

        if (File.Exists(file) && !result.GetValue(_force))
            throw new UsageException($"--output {file} is there already: name another, or give --force to replace it.");
    }

    /// <summary>Whether a layout was given.</summary>
    /// <param name="result">The command line.</param>
    public bool HasLayout(ParseResult result) => result.GetResult(_layout) is { Implicit: false };

    /// <summary>What is said of a file that was written.</summary>
    /// <param name="path">What was given for the output.</param>
    /// <param name="contents">What was written.</param>
    /// <param name="layout">The layout.</param>
    public static string Written(string path, LoraContents contents, string layout) =>
        $"{path}: {LoraExport.Layers(LoraExport.Held(contents.Layers, layout).Count())} in the layout of {layout}";
}
