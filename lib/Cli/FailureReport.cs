using System.Reflection;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Cli;

/// <summary>Reports an unexpected error in one line; its trace goes to a file on request.</summary>
internal static class FailureReport
{
    /// <summary>The environment variable that names the file for traces.</summary>
    public const string Variable = "LAB_TRACE";

    /// <summary>The error inside uninformative wrappers.</summary>
    public static Exception Cause(Exception error)
    {
        while (error is AggregateException or TargetInvocationException or TypeInitializationException && error.InnerException is { } inner)
            error = inner;
        return error;
    }

    /// <summary>The line for the user.</summary>
    /// <param name="error">What happened.</param>
    public static string Line(Exception error)
    {
        var first = error.Message.AsSpan().TrimStart();
        var end = first.IndexOfAny('\r', '\n');
        var what = error is OutOfMemoryException
            ? "Out of memory: what was asked for does not fit this machine."
            : $"{error.GetType().Name}: {ShownText.Line((end < 0 ? first : first[..end]).ToString(), 300)}";
        return $"error: unexpected, a fault of the program: {what} {WhereTheTraceIs(error)}";
    }

    /// <summary>Appends the trace of an error to the file that <see cref="Variable"/> names, if it names one.</summary>
    /// <param name="error">What happened.</param>
    /// <returns>The file, or null.</returns>
    public static string? Keep(Exception error)
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } path)
            return null;
        try
        {
            File.AppendAllText(path, PlainWriter.Clean($"{DateTimeOffset.Now:O} {error}\n"));
            return path;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string WhereTheTraceIs(Exception error) => Keep(error) is { } path
        ? $"The trace is in {path}."
        : $"{Variable}=FILE writes the trace to a file, for a report.";
}
