using System.Collections.Concurrent;
using System.Diagnostics;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Bench;

/// <summary>
/// Times decoding, preparing and encoding of PNG pictures. Speed does not depend on the values of weights, which are random; it does
/// depend on the pictures, which are painted ones and not noise.
/// </summary>
internal sealed class EncodersBenchmark : IDisposable
{
    private const int Painted = 8;
    private const double Deviation = 0.02;

    private readonly IReadOnlyList<string> _files;
    private readonly int _batchSize;
    private readonly int _workers;
    private readonly Device _device;
    private readonly ScalarType _dtype;
    private readonly ViTModel _dino;
    private readonly CLIPVisionModelWithProjection _clip;
    private readonly ImageProcessor _dinoProcessor;
    private readonly ImageProcessor _clipProcessor;

    /// <summary>Makes the models.</summary>
    /// <param name="files">The pictures.</param>
    /// <param name="sizes">The models' sizes.</param>
    /// <param name="batchSize">Pictures encoded at once.</param>
    /// <param name="workers">Threads that read and prepare.</param>
    /// <param name="device">Where the models compute.</param>
    /// <param name="dtype">In which type.</param>
    public EncodersBenchmark(
        IReadOnlyList<string> files, EncoderSizes sizes, int batchSize, int workers, Device device, ScalarType dtype)
    {
        (_files, _batchSize, _workers, _device, _dtype) = (files, batchSize, workers, device, dtype);
        _dino = Fill(new ViTModel(sizes.Dino, META, dtype));
        _clip = Fill(new CLIPVisionModelWithProjection(sizes.Clip, META, dtype));
        _dinoProcessor = new(sizes.DinoProcessor, ImageProtocol.Published);
        _clipProcessor = new(sizes.ClipProcessor, ImageProtocol.Published);
    }

    /// <summary>Paints a few pictures and writes them as many times as asked for, each to a file of its own.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="count">How many files.</param>
    /// <param name="size">Their width and height in pixels.</param>
    /// <returns>The files.</returns>
    public static IReadOnlyList<string> WritePictures(string folder, int count, int size)
    {
        Directory.CreateDirectory(folder);
        byte[][] painted = [.. Enumerable.Range(0, Math.Min(count, Painted)).Select(
            i => Imaging.ImageEncoder.EncodePng(WorldRenderer.Render(WorldSampler.Draw((ulong)i), size)))];
        string[] files = [.. Enumerable.Range(0, count).Select(i => Path.Combine(folder, $"{i:D5}.png"))];
        for (var i = 0; i < count; i++)
            File.WriteAllBytes(files[i], painted[i % painted.Length]);
        return files;
    }

    /// <summary>Times the parts one after the other, then all together.</summary>
    /// <param name="cancellation">Ends it between parts.</param>
    public IEnumerable<EncodersFigure> Run(CancellationToken cancellation)
    {
        using var noGradients = no_grad();
        var images = new RgbImage[_files.Count];
        Encode(Prepare([ImageDecoder.Load(_files[0])])); // first calls compile
        yield return Time($"decode, {_workers} threads", () => Each(i => images[i] = ImageDecoder.Load(_files[i]), cancellation));
        var batches = images.Chunk(_batchSize).ToArray();
        var pixels = new (Tensor Dino, Tensor Clip)[batches.Length];
        cancellation.ThrowIfCancellationRequested();
        yield return Time("prepare for both, one thread", () =>
        {
            for (var i = 0; i < batches.Length; i++)
                pixels[i] = Prepare(batches[i]);
        });
        cancellation.ThrowIfCancellationRequested();
        yield return Time("encode by both", () =>
        {
            foreach (var batch in pixels)
                Encode(batch);
        });
        cancellation.ThrowIfCancellationRequested();
        yield return Time($"all, {_workers} threads read and prepare meanwhile", () => Together(cancellation));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _dino.Dispose();
        _clip.Dispose();
    }

    // Batches are read and prepared ahead of the encoders, as many as there are threads.
    private void Together(CancellationToken cancellation)
    {
        using var ready = new BlockingCollection<(Tensor, Tensor)>(_workers);
        var reading = Task.Run(
            () =>
            {
                try
                {
                    Parallel.ForEach(
                        _files.Chunk(_batchSize), Options(cancellation),
                        batch => ready.Add(Prepare([.. batch.Select(ImageDecoder.Load)]), cancellation));
                }
                finally
                {
                    ready.CompleteAdding();
                }
            },
            cancellation);
        foreach (var batch in ready.GetConsumingEnumerable(cancellation))
            Encode(batch);
        reading.GetAwaiter().GetResult();
    }

    private (Tensor Dino, Tensor Clip) Prepare(IReadOnlyList<RgbImage> images) =>
        (_dinoProcessor.Stack(images), _clipProcessor.Stack(images));

    // Reading one value back waits for the device. The pixels are freed.
    private void Encode((Tensor Dino, Tensor Clip) pixels)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var dino = _dino.forward(pixels.Dino.to(_dtype, _device)).Embedding;
        var clip = _clip.forward(pixels.Clip.to(_dtype, _device)).Embedding;
        _ = (dino.to(ScalarType.Float32, CPU), clip.to(ScalarType.Float32, CPU));
        pixels.Dino.Dispose();
        pixels.Clip.Dispose();
    }

    private EncodersFigure Time(string part, Action work)
    {
        var started = Stopwatch.GetTimestamp();
        work();
        return new EncodersFigure(part, _files.Count, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    private void Each(Action<int> work, CancellationToken cancellation) => Parallel.For(0, _files.Count, Options(cancellation), work);

    private ParallelOptions Options(CancellationToken cancellation) =>
        new() { MaxDegreeOfParallelism = _workers, CancellationToken = cancellation };

    private T Fill<T>(T module)
        where T : nn.Module
    {
        using var noGradients = no_grad();
        foreach (var (_, owner, name, value) in StateDictLoader.Owners(module).ToList())
            owner.Assign(name, randn(value.shape, _dtype, _device).mul_(KeptScalar.Of(Deviation)));
        return module;
    }
}
