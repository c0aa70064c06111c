using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tensors;

/// <summary>
/// Writes safetensors files, laid out as the format's own writers do: wide element types first, then by name, the header
/// padded with spaces to a multiple of 8 bytes. The file appears whole or not at all.
/// </summary>
public static class SafetensorsWriter
{
    private const int WriteChunk = 1 << 26;
    private const string MetadataKey = "__metadata__";

    /// <summary>Writes tensors to a file.</summary>
    /// <param name="path">The target; its folder is created when missing, an existing file is replaced.</param>
    /// <param name="tensors">Names and tensors of any device and memory layout; the values of one tensor at a time are copied
    /// where they do not lie contiguously on the CPU. They stay the caller's.</param>
    /// <param name="metadata">Texts for the header's <c>__metadata__</c>; null or empty leaves it out.</param>
    /// <exception cref="LabException">A name is repeated or reserved, an element type has no place in the format, or the file
    /// cannot be written.</exception>
    public static void Save(
        string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(tensors);
        var ordered = tensors.ToArray();
        Check(path, ordered);
        Array.Sort(ordered, Compare);
        var header = Header(ordered, metadata);
        try
        {
            AtomicFile.Write(path, stream =>
            {
                stream.Write(header);
                foreach (var (_, tensor) in ordered)
                    WriteTensor(stream, tensor);
            });
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"Cannot write the safetensors file {path}: {error.Message}", error);
        }
    }

    /// <summary>SHA-256, in hexadecimal, and length of the file that <see cref="Save"/> would write.</summary>
    /// <param name="tensors">Names and tensors; they stay the caller's.</param>
    /// <param name="metadata">Texts for the header's <c>__metadata__</c>; null or empty leaves it out.</param>
    internal static (string Sha256, long Bytes) Measure(
        IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var ordered = tensors.ToArray();
        Array.Sort(ordered, Compare);
        var header = Header(ordered, metadata);
        using var hash = SHA256.Create();
        using (var stream = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write))
        {
            stream.Write(header);
            foreach (var (_, tensor) in ordered)
                WriteTensor(stream, tensor);
        }

        var values = ordered.Sum(entry => entry.Value.numel() * SafetensorsDType.SizeOf(entry.Value.dtype));
        return (Convert.ToHexStringLower(hash.Hash!), header.Length + values);
    }

    private static void Check(string path, KeyValuePair<string, Tensor>[] tensors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, tensor) in tensors)
        {
            if (!names.Add(name) || name == MetadataKey)
                throw new LabException($"Cannot write {path}: the tensor name '{name}' is repeated or reserved.");
            if (!SafetensorsDType.IsKnown(tensor.dtype))
                throw new LabException($"Cannot write {path}: tensor '{name}' is {tensor.dtype}; possible are {SafetensorsDType.Names}.");
        }
    }

    private static int Compare(KeyValuePair<string, Tensor> left, KeyValuePair<string, Tensor> right)
    {
        var byType = SafetensorsDType.LayoutRank(left.Value.dtype).CompareTo(SafetensorsDType.LayoutRank(right.Value.dtype));
        return byType != 0 ? byType : string.CompareOrdinal(left.Key, right.Key);
    }

    /// <summary>What stands before the tensors' bytes in a file: the header's length, and the header.</summary>
    /// <param name="tensors">
    /// The tensors in the order of their bytes; types and shapes count, so that they may be on the meta device.
    /// </param>
    /// <param name="metadata">Texts for the header's <c>__metadata__</c>, or null.</param>
    internal static byte[] Header(KeyValuePair<string, Tensor>[] tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        using var text = new MemoryStream();
        text.Write(stackalloc byte[8]);
        using (var json = new Utf8JsonWriter(text, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
                WriteMetadata(json, metadata);
            long offset = 0;
            foreach (var (name, tensor) in tensors)
                offset = WriteEntry(json, name, tensor, offset);
            json.WriteEndObject();
        }

        while (text.Length % 8 != 0)
            text.WriteByte((byte)' ');
        if (text.Length - 8 > SafetensorsHeader.MaxHeaderLength)
            throw new LabException(
                $"A safetensors header may have {SafetensorsHeader.MaxHeaderLength} bytes; this one has {text.Length - 8}.");
        var header = text.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(header, text.Length - 8);
        return header;
    }

    private static void WriteMetadata(Utf8JsonWriter json, IReadOnlyDictionary<string, string> metadata)
    {
        json.WriteStartObject(MetadataKey);
        foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            json.WriteString(key, value);
        json.WriteEndObject();
    }

    private static long WriteEntry(Utf8JsonWriter json, string name, Tensor tensor, long offset)
    {
        var end = offset + (tensor.numel() * SafetensorsDType.SizeOf(tensor.dtype));
        json.WriteStartObject(name);
        json.WriteString("dtype", SafetensorsDType.NameOf(tensor.dtype));
        json.WriteStartArray("shape");
        foreach (var size in tensor.shape)
            json.WriteNumberValue(size);
        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(offset);
        json.WriteNumberValue(end);
        json.WriteEndArray();
        json.WriteEndObject();
        return end;
    }

    /// <summary>Writes a tensor's bytes, row by row.</summary>
    /// <param name="stream">Where they go.</param>
    /// <param name="tensor">The tensor.</param>
    internal static void WriteTensor(Stream stream, Tensor tensor)
    {
        var count = tensor.numel();
        if (count == 0)
            return;
        using var scope = NewDisposeScope();
        var flat = tensor.detach().cpu().contiguous().view(-1);
        var step = WriteChunk / SafetensorsDType.SizeOf(tensor.dtype);
        for (long start = 0; start < count; start += step)
        {
            using var chunk = flat.narrow(0, start, Math.Min(step, count - start));
            stream.Write(chunk.bytes);
        }
    }
}
