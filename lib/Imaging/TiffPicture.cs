using BitMiracle.LibTiff.Classic;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Imaging;

/// <summary>
/// The first picture of a TIFF file: strips or tiles, 1 to 16 bits, decompressed by LibTiff.NET. Of 16 bits the high byte is kept, as of
/// PNG.
/// </summary>
internal sealed class TiffPicture : IDisposable
{
    private const int CoefficientBytes = 2;
    private const int RunBytes = 16; // of two lines, two numbers a pixel at most

    private readonly Tiff _tiff;
    private readonly TiffHeader _header;
    private readonly string _name;
    private readonly bool _isTiled;
    private readonly int _partWidth;
    private readonly int _partHeight;

    static TiffPicture() => Tiff.SetErrorHandler(new Silent());

    private TiffPicture(Tiff tiff, TiffHeader header, string name)
    {
        (_tiff, _header, _name, _isTiled) = (tiff, header, name, tiff.IsTiled());
        if (header.IsJpeg && header.Photometric == 6)
            tiff.SetField(TiffTag.JPEGCOLORMODE, JpegColorMode.RGB);
        _partWidth = _isTiled ? Field(TiffTag.TILEWIDTH) : header.Width;
        _partHeight = _isTiled ? Field(TiffTag.TILELENGTH) : Math.Min(Field(TiffTag.ROWSPERSTRIP, header.Height), header.Height);
        if (_partWidth < 1 || _partHeight < 1)
            _partHeight = header.Height;
    }

    /// <summary>
    /// What is held at a time in bytes: a row of strips or tiles, the part that is decoded and its content in the file, the coefficients of
    /// JPEG, the runs of fax.
    /// </summary>
    public long HeldBytes
    {
        get
        {
            var part = (Int128)_partWidth * _partHeight * (_header.IsSeparate ? 1 : _header.Samples);
            var held = ((Int128)BandRowBytes * _partHeight) + (part * SampleBytes) + _header.LargestPart
                + (_header.IsJpeg ? part * CoefficientBytes : 0) + (_header.IsFax ? (Int128)_partWidth * RunBytes : 0);
            return (long)Int128.Min(held, 1L << 60); // more is refused all the same
        }
    }

    /// <summary>What it says of itself.</summary>
    public TiffHeader Header => _header;

    private int SampleBytes => _header.Bits == 16 ? 2 : 1;

    private long BandRowBytes => (long)_header.Width * _header.Samples * SampleBytes;

    /// <summary>Opens a picture.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="name">What error messages call it.</param>
    /// <exception cref="LabException">It is broken, or of a kind that is not read.</exception>
    public static TiffPicture Open(byte[] file, string name)
    {
        var header = TiffHeader.Read(file) ?? throw new LabException($"{name} starts like a Tiff picture, but its header is broken.");
        if (header.Complaint is { } complaint)
            throw new LabException($"{name} {complaint}.");
        // The library makes lists as long as the picture is high, before anything else is known of it.
        if ((long)header.Width * header.Height > ImageDecoder.MaxPixels)
            throw new LabException(
                $"{name} has {header.Width}×{header.Height} pixels, more than the {ImageDecoder.MaxPixels} that are decoded. Make it "
                + "smaller.");
        return Guarded(name, () =>
        {
            var tiff = Tiff.ClientOpen(name, "r", new MemoryStream(file, writable: false), new TiffStream());
            return tiff is null ? throw new InvalidDataException("its directory") : new TiffPicture(tiff, header, name);
        });
    }

    /// <summary>Decodes it, as <see cref="PictureRows.Read"/> does.</summary>
    /// <param name="take">Given every row, from the top.</param>
    /// <exception cref="LabException">It is cut off or broken.</exception>
    public void Read(PictureRows.Take take)
    {
        var row = new byte[4 * _header.Width];
        var band = new byte[BandRowBytes * _partHeight];
        var colours = new TiffColours(_header, Map());
        for (var top = 0; top < _header.Height; top += _partHeight)
        {
            var (y, rows) = (top, Math.Min(_partHeight, _header.Height - top));
            Guarded(_name, () => ReadBand(y, rows, band));
            for (var i = 0; i < rows; i++)
            {
                colours.Convert(band.AsSpan((int)(i * BandRowBytes), (int)BandRowBytes), row);
                take(top + i, row);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _tiff.Dispose();

    private int ReadBand(int top, int rows, byte[] band)
    {
        var planes = _header.IsSeparate ? _header.Samples : 1;
        var own = _header.Samples / planes;
        var part = new byte[_isTiled ? _tiff.TileSize() : _tiff.StripSize()];
        var rowBytes = _isTiled ? _tiff.TileRowSize() : _tiff.ScanlineSize();
        for (var plane = 0; plane < planes; plane++)
        {
            for (var left = 0; left < _header.Width; left += _partWidth)
            {
                var read = _isTiled
                    ? _tiff.ReadEncodedTile(_tiff.ComputeTile(left, top, 0, (short)plane), part, 0, part.Length)
                    : _tiff.ReadEncodedStrip(_tiff.ComputeStrip(top, (short)plane), part, 0, part.Length);
                if (read < (long)rowBytes * rows)
                    throw new InvalidDataException("cut off");
                for (var y = 0; y < rows; y++)
                    Spread(part.AsSpan(y * rowBytes, rowBytes), band.AsSpan((int)(y * BandRowBytes)), left, plane, own);
            }
        }

        return rows;
    }

    // The samples of a part's row, at their places among those of the whole row; fewer bits than 8 become a byte each.
    private void Spread(ReadOnlySpan<byte> from, Span<byte> row, int left, int plane, int own)
    {
        var count = Math.Min(_partWidth, _header.Width - left);
        var bytes = SampleBytes * own;
        if (_header.Bits < 8)
        {
            var mask = (1 << _header.Bits) - 1;
            for (var x = 0; x < count; x++)
            {
                var bit = x * _header.Bits;
                row[left + x] = (byte)((from[bit >> 3] >> (8 - _header.Bits - (bit & 7))) & mask);
            }

            return;
        }

        var pixel = _header.Samples * SampleBytes;
        for (var x = 0; x < count; x++)
            from.Slice(x * bytes, bytes).CopyTo(row[(((left + x) * pixel) + (plane * bytes))..]);
    }

    private ushort[][]? Map()
    {
        if (_header.Photometric != 3)
            return null;
        var map = _tiff.GetField(TiffTag.COLORMAP)?.Take(3).Select(field => field.ToUShortArray()).ToArray();
        return map is [{ } red, { } green, { } blue] && new[] { red, green, blue }.All(part => part.Length >= 1 << _header.Bits)
            ? map : throw new LabException($"{_name} is a picture with a palette that is missing.");
    }

    private int Field(TiffTag tag, int missing = 0) =>
        _tiff.GetField(tag) is [var value, ..] && value.ToInt() is > 0 and var found ? found : missing;

    // The library tells what is wrong in exceptions of many kinds.
    private static T Guarded<T>(string name, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception error) when (error is not LabException) // A broken directory may ask for any amount of memory.
        {
            throw new LabException($"{name} is cut off or broken.", error);
        }
    }

    private sealed class Silent : TiffErrorHandler
    {
        public override void ErrorHandler(Tiff tif, string method, string format, params object[] args)
        {
        }

        public override void ErrorHandlerExt(Tiff tif, object clientData, string method, string format, params object[] args)
        {
        }

        public override void WarningHandler(Tiff tif, string method, string format, params object[] args)
        {
        }

        public override void WarningHandlerExt(Tiff tif, object clientData, string method, string format, params object[] args)
        {
        }
    }
}
