using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Unicode;
using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tensors;

/// <summary>
/// The checked header of a safetensors file: 8 bytes with the header's length (little endian), then a JSON object that names
/// every tensor's type, shape and byte range, then the tensors' bytes without gaps.
/// Source: the published format description of safetensors (README, section "Format").
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>The longest header that the format allows, in bytes.</summary>
    public const long MaxHeaderLength = 100_000_000;

    private const int PrefixLength = 8;
    private const int MaxRank = 64;
    private const string MetadataKey = "__metadata__";

    private readonly string _path;
    private readonly long _dataStart;
    private readonly long _dataLength;
    private readonly Dictionary<string, SafetensorsEntry> _tensors = new(StringComparer.Ordinal);
    private Dictionary<string, string>? _metadata;

    private SafetensorsHeader(string path, long dataStart, long dataLength) =>
        (_path, _dataStart, _dataLength) = (path, dataStart, dataLength);

    /// <summary>Every tensor of the file by its name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Tensors => _tensors;

    /// <summary>The free-form texts under <c>__metadata__</c>; empty when the file has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata ?? [];

    /// <summary>Reads and checks the header at the start of <paramref name="stream"/>.</summary>
    /// <exception cref="LabException">The file breaks the format.</exception>
    public static SafetensorsHeader Read(string path, Stream stream)
    {
        var fileLength = stream.Length;
        if (fileLength < PrefixLength)
            throw Broken(path, $"it has {fileLength} bytes, fewer than the 8 that give the header's length");
        Span<byte> prefix = stackalloc byte[PrefixLength];
        stream.ReadExactly(prefix);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (OtherKind(prefix) is { } kind)
            throw new LabException($"{path} is {kind}");
        if (length > MaxHeaderLength)
            throw Broken(path, $"the header's length is given as {length} bytes; at most {MaxHeaderLength} are allowed");
        if ((long)length > fileLength - PrefixLength)
            throw Broken(path, $"the header's length is given as {length} bytes, but only {fileLength - PrefixLength} follow");
        var text = new byte[length];
        stream.ReadExactly(text);
        if (length == 0 || text[0] != (byte)'{')
            throw Broken(path, "the header does not begin with '{'");
        if (!Utf8.IsValid(text))
            throw Broken(path, "the header is not valid UTF-8");
        var dataStart = PrefixLength + (long)length;
        var header = new SafetensorsHeader(path, dataStart, fileLength - dataStart);
        try
        {
            header.ParseObject(text);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new LabException($"{path} is not a valid safetensors file: the header is not valid JSON ({error.Message}).", error);
        }

        header.CheckLayout();
        return header;
    }

    // What is found in place of weights: downloads that went wrong, and the older format.
    private static string? OtherKind(ReadOnlySpan<byte> start) => start switch
    {
        [(byte)'v', (byte)'e', (byte)'r', (byte)'s', (byte)'i', (byte)'o', (byte)'n', (byte)' '] =>
            "a Git LFS pointer, a small text in place of the weights. Run `git lfs pull` where it was cloned, or download the file itself.",
        [(byte)'P', (byte)'K', 3, 4, ..] or [0x80, >= 2 and <= 5, (byte)'c' or (byte)'}' or (byte)'\x95' or 0x8a, ..] =>
            "a PyTorch pickle (.bin, .pt, .ckpt), which can run programs when it is read. Take the .safetensors file, or convert it.",
        [(byte)'<', (byte)'!' or (byte)'h' or (byte)'H' or (byte)'?', ..] =>
            "a web page and not weights: the download brought the site's answer. Download the file itself.",
        _ => null,
    };

    private static LabException Broken(string path, string what) => new($"{path} is not a valid safetensors file: {what}.");

    private LabException Broken(string what) => Broken(_path, what);

    private void ParseObject(byte[] text)
    {
        var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = 8 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            if (name == MetadataKey)
                ParseMetadata(ref reader);
            else if (!_tensors.TryAdd(name, ParseEntry(ref reader, name)))
                throw Broken($"the tensor '{name}' is listed twice");
        }

        while (reader.Read())
        {
            // Only white space may follow; anything else makes the reader throw.
        }
    }

    private void ParseMetadata(ref Utf8JsonReader reader)
    {
        if (_metadata is not null)
            throw Broken($"{MetadataKey} is listed twice");
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Broken($"{MetadataKey} is not an object of texts");
        _metadata = new(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
                throw Broken($"the entry '{key}' of {MetadataKey} is not a text");
            if (!_metadata.TryAdd(key, reader.GetString()!))
                throw Broken($"the entry '{key}' of {MetadataKey} is listed twice");
        }
    }

    private SafetensorsEntry ParseEntry(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Broken($"the entry of tensor '{name}' is not an object");
        string? dtype = null;
        long[]? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.GetString()!;
            reader.Read();
            var repeated = field switch { "dtype" => dtype is not null, "shape" => shape is not null, _ => offsets is not null };
            switch (field)
            {
                case "dtype" when !repeated && reader.TokenType == JsonTokenType.String:
                    dtype = reader.GetString();
                    break;
                case "shape" when !repeated:
                    shape = ParseNumbers(ref reader, name, field, MaxRank);
                    break;
                case "data_offsets" when !repeated:
                    offsets = ParseNumbers(ref reader, name, field, 2);
                    break;
                default:
                    throw Broken($"tensor '{name}' has a repeated, unknown or wrongly typed field '{field}'");
            }
        }

        if (dtype is null || shape is null || offsets is not { Length: 2 })
            throw Broken($"tensor '{name}' must have dtype, shape and two data_offsets");
        return MakeEntry(name, dtype, shape, offsets[0], offsets[1]);
    }

    private long[] ParseNumbers(ref Utf8JsonReader reader, string name, string field, int most)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw Broken($"{field} of tensor '{name}' is not a list");
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0)
                throw Broken($"{field} of tensor '{name}' holds something else than whole numbers from 0 to {long.MaxValue}");
            if (numbers.Count == most)
                throw Broken($"{field} of tensor '{name}' has more than {most} numbers");
            numbers.Add(number);
        }

        return [.. numbers];
    }

    private SafetensorsEntry MakeEntry(string name, string dtype, long[] shape, long begin, long end)
    {
        var float8 = Float8.All.FirstOrDefault(format => format.Name == dtype);
        var type = ScalarType.BFloat16;
        if (float8 is null && !SafetensorsDType.TryParse(dtype, out type))
            throw Broken(
                $"tensor '{name}' has the type '{dtype}'; known are {SafetensorsDType.Names}, "
                + $"{string.Join(", ", Float8.All.Select(format => format.Name))}");
        if (begin > end || end > _dataLength)
            throw Broken($"tensor '{name}' lies at bytes {begin} to {end} of the data, which has {_dataLength} bytes");
        long bytes = float8 is null ? SafetensorsDType.SizeOf(type) : 1, extent = bytes;
        try
        {
            foreach (var size in shape)
            {
                bytes = checked(bytes * size);
                extent = checked(extent * Math.Max(1, size));
            }
        }
        catch (OverflowException)
        {
            throw Broken($"the shape [{string.Join(", ", shape)}] of tensor '{name}' is too large");
        }

        if (bytes != end - begin)
            throw Broken($"tensor '{name}' ({dtype}, [{string.Join(", ", shape)}]) needs {bytes} bytes, but its range has {end - begin}");
        return new SafetensorsEntry(name, type, shape, _dataStart + begin, bytes, float8);
    }

    /// <summary>The ranges must follow each other from the first byte of the data to the last: no overlap, no hole, no rest.</summary>
    private void CheckLayout()
    {
        var next = _dataStart;
        foreach (var entry in _tensors.Values.OrderBy(entry => entry.Offset).ThenBy(entry => entry.ByteLength))
        {
            if (entry.Offset != next)
            {
                throw Broken($"the bytes of tensor '{entry.Name}' begin at {entry.Offset - _dataStart} of the data, " +
                    (entry.Offset < next ? "inside another tensor" : "after a hole") + $"; expected {next - _dataStart}");
            }

            next += entry.ByteLength;
        }

        if (next - _dataStart != _dataLength)
            throw Broken($"the data has {_dataLength} bytes, but the header describes {next - _dataStart}");
    }
}
