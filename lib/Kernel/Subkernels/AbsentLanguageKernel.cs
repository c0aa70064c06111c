using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Commands;

namespace Dreambooth.Lab.Kernel.Subkernels;

/// <summary>Stands for a language that notebooks of .NET Interactive may have and this kernel has not.</summary>
/// <param name="name">The language's name in magics.</param>
/// <param name="language">Its name for readers.</param>
internal sealed class AbsentLanguageKernel(string name, string language)
    : Microsoft.DotNet.Interactive.Kernel(name), IKernelCommandHandler<SubmitCode>
{
    /// <inheritdoc/>
    public Task HandleAsync(SubmitCode command, KernelInvocationContext context)
    {
        var text = $"This kernel runs C#, HTML, JavaScript and Markdown; {language} cells need the official .NET Interactive kernel "
            + "(dotnet tool install Microsoft.dotnet-interactive, then dotnet interactive jupyter install).";
        context.Fail(command, new KernelException(text), text);
        return Task.CompletedTask;
    }
}
