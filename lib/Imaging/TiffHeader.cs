using System.Buffers.Binary;

namespace Dreambooth.Lab.Imaging;

/// <summary>
/// The first directory of a TIFF file (TIFF 6.0, Adobe 1992), read before the library sees the file: every value lies inside the file, so
/// that nothing larger than the file is ever asked for.
/// </summary>
internal sealed record TiffHeader
{
    private const int Entry = 12;
    private const int MostParts = 1 << 22;
    private const int MostOfOthers = 8;

    private static readonly Dictionary<int, int> Sizes = new()
    {
        [1] = 1,
        [2] = 1,
        [3] = 2,
        [4] = 4,
        [5] = 8,
        [6] = 1,
        [7] = 1,
        [8] = 2,
        [9] = 4,
        [10] = 8,
        [11] = 4,
        [12] = 8,
        [13] = 4,
        [16] = 8,
        [17] = 8,
        [18] = 8,
    };

    private readonly Dictionary<int, long[]> _values = [];

    private enum Tag
    {
        SubfileType = 254,
        Width = 256,
        Height = 257,
        Bits = 258,
        Compression = 259,
        Photometric = 262,
        StripOffsets = 273,
        Orientation = 274,
        Samples = 277,
        RowsPerStrip = 278,
        StripBytes = 279,
        Planes = 284,
        TileWidth = 322,
        TileLength = 323,
        TileOffsets = 324,
        TileBytes = 325,
        ExtraSamples = 338,
        SampleFormat = 339,
        DngVersion = 50706,
    }

    public int Width => (int)Math.Clamp(Of(Tag.Width), 0, int.MaxValue);

    public int Height => (int)Math.Clamp(Of(Tag.Height), 0, int.MaxValue);

    /// <summary>Bits of a sample: 1, 2, 4, 8 or 16.</summary>
    public int Bits => (int)Of(Tag.Bits, 1);

    /// <summary>Samples of a pixel, alpha among them.</summary>
    public int Samples => (int)Of(Tag.Samples, 1);

    /// <summary>How colours are stored: 0 gray from white, 1 gray from black, 2 RGB, 3 palette, 5 CMYK, 6 YCbCr.</summary>
    public int Photometric => (int)Of(Tag.Photometric, -1);

    public bool IsJpeg => Of(Tag.Compression, 1) == 7;

    public bool IsFax => Of(Tag.Compression, 1) is 2 or 3 or 4;

    /// <summary>Bytes of the largest strip or tile in the file.</summary>
    public long LargestPart => Math.Max(Largest(Tag.StripBytes), Largest(Tag.TileBytes));

    /// <summary>Whether each sample has a plane of its own.</summary>
    public bool IsSeparate => Of(Tag.Planes, 1) == 2;

    /// <summary>Samples that are colours or an index.</summary>
    public int Colours => Photometric is 2 or 6 ? 3 : Photometric == 5 ? 4 : 1;

    public bool HasAlpha => Samples > Colours && Of(Tag.ExtraSamples) is 1 or 2;

    /// <summary>Whether colours are multiplied with alpha.</summary>
    public bool IsPremultiplied => HasAlpha && Of(Tag.ExtraSamples) == 1;

    public ExifOrientation? Orientation =>
        Of(Tag.Orientation) is >= 1 and <= 8 and var turned ? (ExifOrientation)turned : null;

    public PixelMode Mode => (Photometric, Bits) switch
    {
        (5, _) => PixelMode.Cmyk,
        (3, _) => PixelMode.Palette,
        (0 or 1, 16) => HasAlpha ? PixelMode.Color16 : PixelMode.Gray16,
        (_, 16) => PixelMode.Color16,
        (0 or 1, _) => HasAlpha ? PixelMode.GrayAlpha : PixelMode.Gray,
        _ => HasAlpha ? PixelMode.RgbAlpha : PixelMode.Rgb,
    };

    /// <summary>What is not read, as a clause after the file's name; null where all is.</summary>
    public string? Complaint
    {
        get
        {
            if (Has(Tag.DngVersion) || Photometric is 32803 or 34892 || (Of(Tag.SubfileType) & 1) != 0)
                return "is a camera's raw, or begins with a preview: save the picture as TIFF or PNG from the program that develops it";
            if (Of(Tag.Compression, 1) is not (1 or 2 or 3 or 4 or 5 or 7 or 8 or 32773 or 32946))
                return $"is a TIFF picture with compression {Of(Tag.Compression, 1)}, which is not read; save it with LZW, ZIP or none";
            if (Of(Tag.SampleFormat, 1) != 1 || Bits is not (1 or 2 or 4 or 8 or 16))
                return $"is a TIFF picture of {Bits} bits in format {Of(Tag.SampleFormat, 1)}; save it with 8 or 16 bits, unsigned";
            if (Photometric is not (0 or 1 or 2 or 3) && !(Photometric == 6 && IsJpeg && Bits == 8))
                return $"is a TIFF picture in colours of kind {Photometric}, which are not read; save it as RGB";
            return Width < 1 || Height < 1 || !ListsAllParts || Samples < Colours || Samples > 8 || (Bits < 8 && Samples > 1)
                || (Photometric == 3 && Bits > 8)
                ? "is a TIFF picture whose header is broken"
                : null;
        }
    }

    // The library makes lists of as many parts as the sizes ask for, whatever the file has.
    private bool ListsAllParts
    {
        get
        {
            var isTiled = Has(Tag.TileWidth) || Has(Tag.TileLength);
            var (width, height) = isTiled ? (Of(Tag.TileWidth), Of(Tag.TileLength)) : (Width, Of(Tag.RowsPerStrip, Height));
            if (width < 1 || height < 1)
                return false;
            var parts = (((Width - 1) / width) + (Int128)1) * (((Height - 1) / height) + 1) * (IsSeparate ? Samples : 1);
            long[][] lists = [.. new[] { Tag.StripOffsets, Tag.TileOffsets }.Where(Has).Select(tag => _values[(int)tag])];
            return lists.Length > 0 && lists.All(list => list.Length >= parts);
        }
    }

    /// <summary>Reads the header of a file; null where it is none or broken.</summary>
    /// <param name="file">The whole file.</param>
    public static TiffHeader? Read(ReadOnlySpan<byte> file)
    {
        var little = file.StartsWith("II*\0"u8);
        if (file.Length < 8 || (!little && !file.StartsWith("MM\0*"u8)))
            return null;
        long at = U32(file[4..], little);
        if (at < 8 || at + 2 > file.Length)
            return null;
        int count = U16(file[(int)at..], little);
        if (count == 0 || at + 2 + ((long)count * Entry) > file.Length)
            return null;
        var header = new TiffHeader();
        var left = (long)file.Length;
        for (var i = 0; i < count; i++)
        {
            if (!header.Add(file, file.Slice((int)at + 2 + (i * Entry), Entry), little, ref left))
                return null;
        }

        return header.DataIsInside(Tag.StripOffsets, Tag.StripBytes, file.Length)
            && header.DataIsInside(Tag.TileOffsets, Tag.TileBytes, file.Length) ? header : null;
    }

    // The library keeps the values of every entry. They take different bytes of a right file, so that together they are within its length.
    private bool Add(ReadOnlySpan<byte> file, ReadOnlySpan<byte> entry, bool little, ref long left)
    {
        var (tag, type, count) = (U16(entry, little), U16(entry[2..], little), (long)U32(entry[4..], little));
        if (!Sizes.TryGetValue(type, out var size))
            return true; // The library leaves out what is of no known type.
        var offset = count * size <= 4 ? -1L : U32(entry[8..], little);
        if (count * size > 4 && (offset + (count * size) > file.Length || (left -= count * size) < 0))
            return false;
        if (!Enum.IsDefined((Tag)tag))
            return true;
        if (type is not (1 or 3 or 4))
            return false;
        var lists = (Tag)tag is Tag.StripOffsets or Tag.StripBytes or Tag.TileOffsets or Tag.TileBytes;
        if (lists && count > MostParts)
            return false;
        count = lists ? count : Math.Min(count, MostOfOthers);
        var from = offset < 0 ? entry[8..] : file[(int)offset..];
        var values = new long[count];
        for (var i = 0; i < count; i++)
        {
            var value = from[(i * size)..];
            values[i] = size == 1 ? value[0] : size == 2 ? U16(value, little) : U32(value, little);
        }

        return _values.TryAdd(tag, values);
    }

    private bool DataIsInside(Tag offsets, Tag bytes, long length)
    {
        long[] at = _values.GetValueOrDefault((int)offsets) ?? [], sizes = _values.GetValueOrDefault((int)bytes) ?? [];
        return at.Length == sizes.Length && at.Zip(sizes).All(part => part.First + part.Second <= length);
    }

    private long Largest(Tag tag) => _values.GetValueOrDefault((int)tag) is { Length: > 0 } values ? values.Max() : 0;

    private bool Has(Tag tag) => _values.ContainsKey((int)tag);

    private long Of(Tag tag, long missing = 0) => _values.GetValueOrDefault((int)tag) is [var first, ..] ? first : missing;

    private static int U16(ReadOnlySpan<byte> from, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(from) : BinaryPrimitives.ReadUInt16BigEndian(from);

    private static uint U32(ReadOnlySpan<byte> from, bool little) =>
        little ? BinaryPrimitives.ReadUInt32LittleEndian(from) : BinaryPrimitives.ReadUInt32BigEndian(from);
}
