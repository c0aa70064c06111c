using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tests.Tokenizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Cli;

/// <summary>A folder with LoRA files for the verbs of <c>lora</c>, and what such a verb says.</summary>
internal sealed class LoraRun : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    /// <summary>A path in the folder.</summary>
    public string At(string name) => Path.Combine(_folder.Path, name);

    /// <summary>Writes updates, which stay the caller's.</summary>
    public string Write(string name, string layout, params LoraContent[] layers)
    {
        var path = At($"{name}.safetensors");
        LoraExport.Save(path, LoraContents.Of([.. layers.Select(
            layer => layer with { Tensors = [.. layer.Tensors.Select(tensor => tensor.clone())] })]), layout);
        return path;
    }

    /// <summary>Runs the program.</summary>
    public static (int Code, string Output, string Error) Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = LabCommandLine.Run(args, new Session(output, error, IsInteractive: false, CancellationToken.None));
        return (code, output.ToString(), error.ToString());
    }
}
