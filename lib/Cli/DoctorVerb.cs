using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;

namespace Dreambooth.Lab.Cli;

/// <summary><c>doctor</c>: what the lab depends on here, and whether it can run.</summary>
internal static class DoctorVerb
{
    private const double GiB = 1L << 30;

    public static Command Create(Session session)
    {
        var verb = new Command("doctor", "Says what was found and loaded here: libtorch, versions, devices, memory, Unicode; and what to do where "
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
        void Line(string name, string? value) => output.WriteLine($"{name,-14}{value ?? "not found"}");
        Line("lab", report.Lab);
        Line(".NET", report.DotNet);
        Line("system", report.System);
        Line("processors", report.Processors.ToString(CultureInfo.InvariantCulture));
        Line("memory", $"{Gibibytes(report.MemoryBytes)} that this process may use");
        Line("libtorch", report.LibTorch is null ? null : $"{report.LibTorch} from {report.Libraries.TorchFolder}");
        Line("TorchSharp", report.TorchSharp + (report.Libraries.VersionNeedMarkedWeak ? " (a copy that accepts this system's older C++ library)" : ""));
        foreach (var library in report.Libraries.Loaded)
            Line("  loaded", library);
        Line("Unicode", report.UnicodeWorks ? "normalisation works" : "normalisation does not work");
        Line("GPU", report.Gpus.Count == 0 ? "none that libtorch can use; everything runs on the processor" : $"{report.Gpus.Count} that libtorch can use");
        foreach (var gpu in report.Gpus)
            Line("  device", $"{gpu.Name}, {Gibibytes(gpu.Free)} free of {Gibibytes(gpu.Total)}");
        output.WriteLine();
        output.WriteLine(report.Usable ? "The lab can run here." : "The lab cannot run here:");
        foreach (var problem in report.Problems)
            output.WriteLine($"- {problem}");
    }

    private static string Gibibytes(long bytes) => (bytes / GiB).ToString("F1", CultureInfo.InvariantCulture) + " GiB";
}
