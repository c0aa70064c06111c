using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// The encodings of a run's pictures and prompts as they are read from and written to the folder of <c>--latents_cache</c>. What is read is
/// what the same encoder gave on the same kind of device, to the bit.
/// </summary>
internal sealed class KeptEncodings
{
    private const string Mean = "mean", Std = "std", Tokens = "tokens", Pooled = "pooled";

    private readonly EncodingFolder _folder;
    private readonly EncodingKeys _keys;
    private readonly Device _device;
    private int _pictures, _picturesRead, _texts, _textsRead;

    private KeptEncodings(EncodingFolder folder, EncodingKeys keys, Device device) => (_folder, _keys, _device) = (folder, keys, device);

    /// <summary>What was read, what the folder holds, and how it is cleared.</summary>
    public string Summary =>
        $"Read from {ProjectFolder.Near(_folder.Path)}: {_picturesRead} of {_pictures} latents and {_textsRead} of {_texts} prompts "
        + $"({EncodingFolder.Describe(_folder.Path) ?? "it is empty"})";

    /// <summary>Opens the folder of a configuration.</summary>
    /// <param name="config">Says whether encodings are kept, and where.</param>
    /// <param name="pipeline">The models.</param>
    /// <param name="dataset">The pictures.</param>
    /// <param name="warn">Told of damaged files, and of a folder that cannot be written to.</param>
    /// <returns>Null where nothing is kept.</returns>
    public static KeptEncodings? Open(
        DreamBoothConfig config, StableDiffusion3Pipeline pipeline, DreamBoothDataset dataset, Action<string>? warn) =>
        !config.CacheLatents ? null : new(
            new EncodingFolder(config.LatentsCache ?? EncodingFolder.Default, warn), new EncodingKeys(pipeline, dataset),
            pipeline.Options.Device);

    /// <summary>The latents of a view, read or else encoded and kept.</summary>
    /// <param name="view">The view.</param>
    /// <param name="encode">Encodes it.</param>
    /// <returns>Moments, [1, C, h, w], the caller's.</returns>
    public LatentMoments Picture(PictureView view, Func<LatentMoments> encode)
    {
        _pictures++;
        var key = _keys.OfPicture(view);
        if (_folder.Find(key, _device) is { } found)
        {
            _picturesRead++;
            return new LatentMoments(found[Mean], found[Std]);
        }

        var moments = encode();
        _folder.Keep(key, new Dictionary<string, Tensor> { [Mean] = moments.Mean, [Std] = moments.Std });
        return moments;
    }

    /// <summary>The embeddings of a text, the caller's; null where they must be encoded.</summary>
    /// <param name="text">The text.</param>
    /// <param name="length">Number of T5 tokens.</param>
    /// <param name="onlyT5">Whether T5's part alone is meant.</param>
    public CachedEmbeddings? Text(string text, int length, bool onlyT5)
    {
        _texts++;
        if (_keys.OfText(text, length, onlyT5) is not { } key || _folder.Find(key, _device) is not { } found)
            return null;
        _textsRead++;
        return new CachedEmbeddings(found[Tokens], found.GetValueOrDefault(Pooled));
    }

    /// <summary>Keeps the embeddings of a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="length">Number of T5 tokens.</param>
    /// <param name="onlyT5">Whether T5's part alone is meant.</param>
    /// <param name="embeddings">Its embeddings; they stay the caller's.</param>
    public void KeepText(string text, int length, bool onlyT5, CachedEmbeddings embeddings)
    {
        if (_keys.OfText(text, length, onlyT5) is not { } key)
            return;
        var tensors = new Dictionary<string, Tensor> { [Tokens] = embeddings.PromptEmbeds };
        if (embeddings.PooledPromptEmbeds is { } pooled)
            tensors.Add(Pooled, pooled);
        _folder.Keep(key, tensors);
    }

    /// <summary>Deletes what other runs kept and is too much.</summary>
    public void Prune() => _folder.Prune();
}
