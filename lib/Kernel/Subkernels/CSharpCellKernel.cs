using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Commands;
using Microsoft.DotNet.Interactive.Events;
using Microsoft.DotNet.Interactive.Formatting;
using Microsoft.DotNet.Interactive.ValueSharing;

namespace Dreambooth.Lab.Kernel.Subkernels;

/// <summary>The engine of this kernel as .NET Interactive's kernel for C#.</summary>
/// <param name="session">Runs the code.</param>
internal sealed class CSharpCellKernel(CellSession session) : Microsoft.DotNet.Interactive.Kernel(NotebookKernels.CSharp),
    IKernelCommandHandler<SubmitCode>, IKernelCommandHandler<RequestValue>, IKernelCommandHandler<RequestValueInfos>,
    IKernelCommandHandler<SendValue>
{
    /// <inheritdoc/>
    public Task HandleAsync(SubmitCode command, KernelInvocationContext context)
    {
        session.Submit(command, context);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task HandleAsync(RequestValue command, KernelInvocationContext context)
    {
        var (name, _, value) = session.Engine.Variables.LastOrDefault(v => v.Name == command.Name);
        if (name is null)
            context.Fail(command, message: $"There is no variable '{command.Name}' in C#.");
        else
            context.Publish(new ValueProduced(value, name, Formatted(value, command.MimeType), command));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task HandleAsync(RequestValueInfos command, KernelInvocationContext context)
    {
        KernelValueInfo[] infos =
            [.. session.Engine.Variables.Select(v => new KernelValueInfo(v.Name, Formatted(v.Value, command.MimeType), v.Type))];
        context.Publish(new ValueInfosProduced(infos, command));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task HandleAsync(SendValue command, KernelInvocationContext context) => SetValueAsync(command, context, (name, value, type) =>
    {
        session.SetVariable(name, value, type);
        return Task.CompletedTask;
    });

    // A formatter of the user's may fail; the list of variables is shown all the same.
    private static FormattedValue Formatted(object? value, string mimeType)
    {
        try
        {
            return FormattedValue.CreateSingleFromObject(value, mimeType);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return new FormattedValue(PlainTextFormatter.MimeType, value?.GetType().ToString() ?? "");
        }
    }
}
