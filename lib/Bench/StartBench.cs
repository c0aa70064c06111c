using System.Diagnostics;
using System.Globalization;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Profiling;
using TorchSharp;

namespace Dreambooth.Lab.Bench;

/// <summary>
/// Rows of <c>bench full-size</c> that need whole processes: the program is started as <c>generate</c> on a model folder with random
/// weights, and its output is watched. The folder has just been written or read, so its files lie in the page cache.
/// </summary>
/// <param name="options">The model and the device.</param>
/// <param name="folder">A model folder to use, written when it is empty or missing; null for a temporary one.</param>
/// <param name="program">The command that starts the program.</param>
/// <param name="flags">Further flags of <c>generate</c>.</param>
internal sealed class StartBench(
    FullSizeBenchmarkOptions options, string? folder, IReadOnlyList<string> program, IReadOnlyList<string>? flags = null) : IDisposable
{
    private const string Written = "model-folder";
    private const string ToFirstStep = "start";
    private const string Whole = "pictures-process";
    private const string FirstStep = "Denoising 1/";
    private const int Starts = 3;

    private string? _temporary;

    /// <summary>Names of the rows.</summary>
    public static IReadOnlyList<string> Names { get; } = [Written, ToFirstStep, Whole];

    /// <summary>Measures a row.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="cancellation">Ends the run between two starts.</param>
    public BenchmarkRow Run(string name, CancellationToken cancellation = default)
    {
        if (name == Written)
            return Write();
        var with = flags is { Count: > 0 } ? ", " + string.Join(' ', flags) : string.Empty;
        var row = new BenchmarkRow(name, (name == Whole
            ? $"whole process: load, {options.Images} pictures {options.LargeSize}×{options.LargeSize}, {options.Steps} steps, guidance, "
                + "saved"
            : "process start to the first sampling step, weights in the page cache") + with);
        try
        {
            var model = ModelFolder();
            var (times, failure) = (new List<double>(), (string?)null);
            using var timeline = new MemoryTimeline(GpuMemory.IndexOf(options.Device));
            for (var i = 0; i < (name == Whole ? 1 : Starts) && failure is null; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                failure = timeline.Run(row.Work, () => Start(model, name == Whole, times));
            }

            times.Sort();
            var profile = timeline.Profile();
            return row with
            {
                Milliseconds = failure is null ? times[times.Count / 2] : null,
                Times = times,
                Peak = profile.Peak,
                Figure = profile.Figure.ToString(),
                Failure = failure,
            };
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
        {
            return row with { Failure = error.Message };
        }
    }

    private BenchmarkRow Write()
    {
        var row = new BenchmarkRow(Written, "a model folder with random weights, found or written");
        try
        {
            var clock = Stopwatch.StartNew();
            ModelFolder();
            return row with { Milliseconds = clock.Elapsed.TotalMilliseconds, Times = [clock.Elapsed.TotalMilliseconds] };
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return row with { Failure = error.Message };
        }
    }

    /// <summary>Removes the temporary model folder.</summary>
    public void Dispose()
    {
        if (_temporary is not null)
            Directory.Delete(_temporary, recursive: true);
    }

    /// <summary>The model folder; written first where there is none.</summary>
    public string ModelFolder()
    {
        var place = folder ?? (_temporary ??= Directory.CreateTempSubdirectory("lab-model-").FullName);
        if (!File.Exists(Path.Combine(place, "model_index.json")))
            RandomModelFolder.Write(place, options.Model);
        return place;
    }

    private static string Name(torch.ScalarType dtype) => dtype switch
    {
        torch.ScalarType.BFloat16 => "bf16",
        torch.ScalarType.Float16 => "fp16",
        _ => "fp32",
    };

    private ProcessStartInfo Command(string model, bool whole, string pictures)
    {
        static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
        var start = new ProcessStartInfo(program[0]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])
            [.. program.Skip(1), "generate", "--model", model, "--prompt", "a cat", "--num_steps", Text(whole ? options.Steps : 2),
                "--num_images", Text(whole ? options.Images : 1),
             "--guidance_scale", "4.5", "--height", Text(options.LargeSize), "--width", Text(options.LargeSize), "--device",
             options.Device.ToString(),
             "--dtype", Name(options.Dtype), "--output_dir", pictures, .. flags ?? []])
            start.ArgumentList.Add(argument);
        return start;
    }

    private string? Start(string model, bool whole, List<double> times)
    {
        var pictures = Directory.CreateTempSubdirectory("lab-pictures-").FullName;
        try
        {
            var start = Command(model, whole, pictures);
            var clock = Stopwatch.StartNew();
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync();
            double? first = null;
            while (process.StandardOutput.ReadLine() is { } line)
                first ??= line.StartsWith(FirstStep, StringComparison.Ordinal) ? clock.Elapsed.TotalMilliseconds : null;
            process.WaitForExit();
            if (first is { } time && process.ExitCode == 0)
                times.Add(whole ? clock.Elapsed.TotalMilliseconds : time);
            else
                return $"generate ended with code {process.ExitCode}: {errors.Result.Trim().Split('\n')[0]}";
            return null;
        }
        finally
        {
            Directory.Delete(pictures, recursive: true);
        }
    }
}
