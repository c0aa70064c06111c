using System.Diagnostics;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Bench;

/// <summary>Measures how fast a safetensors file opens and how much memory loading it to the CPU takes.</summary>
internal static class SafetensorsBenchmark
{
    private const long TensorBytes = 64L << 20;

    /// <summary>Writes a file of random float32 tensors of 64 MiB each, opens and loads it, then reads every element.</summary>
    /// <param name="folder">Where the file is written; it is deleted afterwards.</param>
    /// <param name="bytes">Size of the tensors together, rounded up to a multiple of 64 MiB.</param>
    public static SafetensorsBenchmarkResult Run(string folder, long bytes = 1L << 30)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        var path = System.IO.Path.Combine(folder, $"benchmark-{Guid.NewGuid():N}.safetensors");
        var count = (int)((bytes + TensorBytes - 1) / TensorBytes);
        try
        {
            Write(path, count);
            Measure(path); // The first pass pays for compiling this code and starting torch's threads.
            return Measure(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void Write(string path, int count)
    {
        using var values = SeededNoise.Normal([TensorBytes / 4], seed: 0);
        SafetensorsWriter.Save(path, Enumerable.Range(0, count).Select(index => KeyValuePair.Create($"block.{index:d4}.weight", values)));
    }

    private static SafetensorsBenchmarkResult Measure(string path)
    {
        using var scope = NewDisposeScope();
        var before = Environment.WorkingSet;
        var clock = Stopwatch.StartNew();
        using var file = SafetensorsFile.Open(path);
        var tensors = file.Tensors.Keys.Select(name => file.Load(name)).ToArray();
        var opened = clock.Elapsed.TotalMilliseconds;
        var afterOpen = Environment.WorkingSet - before;
        clock.Restart();
        foreach (var tensor in tensors)
            tensor.sum().Dispose();
        var touched = clock.Elapsed.TotalMilliseconds;
        var afterTouch = Environment.WorkingSet - before;
        return new(new FileInfo(path).Length, tensors.Length, opened, afterOpen, touched, afterTouch, PeakConverting(path));
    }

    private static long PeakConverting(string path)
    {
        using var file = SafetensorsFile.Open(path);
        var before = Environment.WorkingSet;
        long peak = 0;
        foreach (var name in file.Tensors.Keys)
        {
            using var converted = file.Load(name, CPU, ScalarType.BFloat16);
            peak = Math.Max(peak, Environment.WorkingSet - before);
        }

        return peak;
    }
}
