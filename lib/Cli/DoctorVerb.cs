using System.CommandLine;
using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Cli;

/// <summary><c>doctor</c>: the lab's dependencies on this machine, and whether it can run.</summary>
internal static class DoctorVerb
{
    public static Command Create(Session session)
    {
        var verb = new Command(
            "doctor", "Reports what was found and loaded: libtorch, versions, devices, memory, Unicode; and what to do where "
            + "something is missing. The exit code is 0 when the lab can run here, else 1.");
        var json = new Option<bool>("--json") { Description = "Print the report as JSON." };
        verb.Options.Add(json);
        verb.SetAction(result =>
        {
            var report = SystemReport.Collect();
            if (result.GetValue(json))
                session.Output.WriteLine(System.Text.Json.JsonSerializer.Serialize(report, JsonFile.Options));
            else
                Write(report, session.Output);
            return report.Usable ? ExitCode.Success : ExitCode.Failure;
        });
        return verb;
    }

    private static void Write(SystemReport report, TextWriter output)
    {
        void Line(string name, string value) => output.WriteLine($"{name,-14}{value}");
        foreach (var (label, value) in report.Facts)
            Line(label, value);
        foreach (var library in report.Libraries.Loaded)
            Line("  loaded", library);
        if (EncodingFolder.Describe(EncodingFolder.Default) is { } encodings)
            Line("encodings", $"{EncodingFolder.Default}: {encodings}");
        output.WriteLine();
        output.WriteLine(report.Usable ? "The lab can run here." : "The lab cannot run here:");
        foreach (var problem in report.Problems)
            output.WriteLine($"- {problem}");
        var settings = Settings().ToList();
        if (settings.Count > 0)
            output.WriteLine("\nSettings that cannot be used:");
        foreach (var setting in settings)
            output.WriteLine($"- {setting}");
    }

    private static IEnumerable<string> Settings()
    {
        if (Environment.GetEnvironmentVariable(TokenizerFiles.Variable) is { Length: > 0 } tokenizers && !Directory.Exists(tokenizers))
            yield return $"{TokenizerFiles.Variable} is {ShownText.Line(tokenizers)}; there is no such folder.";
        string? hub = null;
        try
        {
            _ = HubOptions.FromEnvironment();
        }
        catch (LabException error)
        {
            hub = error.Message;
        }

        if (hub is not null)
            yield return hub;
    }
}
