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
            Write(path, count, TensorBytes);
            Measure(path); // The first pass pays for compiling this code and starting torch's threads.
            return Measure(path) with { PeakBytesConverting = PeakConverting(path) };
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Writes a file of random float32 tensors.</summary>
    /// <param name="path">The file.</param>
    /// <param name="count">How many tensors.</param>
    /// <param name="tensorBytes">Size of each.</param>
    public static void Write(string path, int count, long tensorBytes)
    {
        using var values = SeededNoise.Normal([tensorBytes / sizeof(float)], seed: 0);
        SafetensorsWriter.Save(path, Enumerable.Range(0, count).Select(index => KeyValuePair.Create($"block.{index:d4}.weight", values)));
    }

    /// <summary>Opens a checkpoint, loads it, then reads every element.</summary>
    /// <param name="path">The checkpoint.</param>
    public static SafetensorsBenchmarkResult Measure(string path)
    {
        using var scope = NewDisposeScope();
        var before = Environment.WorkingSet;
        var clock = Stopwatch.StartNew();
        using var file = Checkpoint.Open(path);
        var tensors = file.Names.Select(name => file.Load(name)).ToArray();
        var opened = clock.Elapsed.TotalMilliseconds;
        var afterOpen = Environment.WorkingSet - before;
        clock.Restart();
        foreach (var tensor in tensors)
            tensor.sum().Dispose();
        var touched = clock.Elapsed.TotalMilliseconds;
        var afterTouch = Environment.WorkingSet - before;
        var bytes = tensors.Sum(tensor => tensor.numel() * tensor.element_size());
        return new(new FileInfo(path).Length, bytes, tensors.Length, opened, afterOpen, touched, afterTouch);
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
