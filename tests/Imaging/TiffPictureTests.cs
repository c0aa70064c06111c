using BitMiracle.LibTiff.Classic;
using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Tests.Imaging;

public sealed class TiffPictureTests : IDisposable
{
    private const int Width = 21, Height = 19;

    private readonly string _folder = Directory.CreateTempSubdirectory("lab-tiff-").FullName;

    private string Written => Path.Combine(_folder, "a.tif");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static int Sample(int x, int y, int channel) => ((x * 9) + (y * 5) + (channel * 70)) % 256;

    // Rows of samples; of 16 bits the low byte is the inverted high one.
    internal static byte[] Write(
        string path, int samples, int bits = 8, Compression compression = Compression.NONE, int tile = 0, bool separate = false,
        Photometric photometric = Photometric.RGB, short extra = -1, Action<Tiff>? set = null, Func<int, int, int, int>? sample = null)
    {
        using (var tiff = Tiff.Open(path, "w"))
        {
            tiff.SetField(TiffTag.IMAGEWIDTH, Width);
            tiff.SetField(TiffTag.IMAGELENGTH, Height);
            tiff.SetField(TiffTag.SAMPLESPERPIXEL, samples);
            tiff.SetField(TiffTag.BITSPERSAMPLE, bits);
            tiff.SetField(TiffTag.COMPRESSION, compression);
            tiff.SetField(TiffTag.PHOTOMETRIC, photometric);
            tiff.SetField(TiffTag.PLANARCONFIG, separate ? PlanarConfig.SEPARATE : PlanarConfig.CONTIG);
            if (extra >= 0)
                tiff.SetField(TiffTag.EXTRASAMPLES, 1, new[] { extra });
            if (tile == 0)
                tiff.SetField(TiffTag.ROWSPERSTRIP, 4);
            else
            {
                tiff.SetField(TiffTag.TILEWIDTH, tile);
                tiff.SetField(TiffTag.TILELENGTH, tile);
            }

            set?.Invoke(tiff);
            var planes = separate ? samples : 1;
            for (var plane = 0; plane < planes; plane++)
                Put(tiff, tile, samples / planes, plane, bits, sample ?? Sample);
        }

        return File.ReadAllBytes(path);
    }

    private static void Put(Tiff tiff, int tile, int samples, int plane, int bits, Func<int, int, int, int> sample)
    {
        var (partWidth, partHeight) = tile == 0 ? (Width, 4) : (tile, tile);
        for (var top = 0; top < Height; top += partHeight)
        {
            for (var left = 0; left < Width; left += partWidth)
            {
                var bytes = bits == 16 ? 2 : 1;
                var part = new byte[partWidth * partHeight * samples * bytes];
                for (var i = 0; i < part.Length / bytes; i++)
                {
                    var (x, y) = (left + (i / samples % partWidth), top + (i / samples / partWidth));
                    var value = sample(x, y, plane + (i % samples));
                    part[i * bytes] = (byte)(bits == 16 ? 255 - value : value);
                    if (bits == 16)
                        part[(i * 2) + 1] = (byte)value;
                }

                if (tile > 0)
                    tiff.WriteEncodedTile(tiff.ComputeTile(left, top, 0, (short)plane), part, part.Length);
                else
                {
                    var rows = Math.Min(partHeight, Height - top);
                    tiff.WriteEncodedStrip(tiff.ComputeStrip(top, (short)plane), part, rows * partWidth * samples * bytes);
                }
            }
        }
    }

    [Theory]
    [InlineData(3, 8, Compression.NONE, 0, false)]
    [InlineData(3, 8, Compression.LZW, 16, false)]
    [InlineData(3, 8, Compression.ADOBE_DEFLATE, 16, true)]
    [InlineData(3, 16, Compression.LZW, 0, false)]
    [InlineData(3, 16, Compression.ADOBE_DEFLATE, 0, true)]
    [InlineData(4, 8, Compression.PACKBITS, 0, true)]
    [InlineData(1, 8, Compression.LZW, 16, false)]
    [InlineData(1, 16, Compression.NONE, 0, false)]
    public void Decode_StripsAndTiles_GiveTheSamples(int samples, int bits, Compression compression, int tile, bool separate)
    {
        var colours = samples == 1 ? Photometric.MINISBLACK : Photometric.RGB;
        var file = Write(Written, samples, bits, compression, tile, separate, colours, (short)(samples == 4 ? 2 : -1));
        var image = ImageDecoder.Decode(file, "a.tif");
        Assert.Equal((Width, Height), (image.Width, image.Height));
        for (var y = 0; y < Height; y++)
        {
            for (var x = 0; x < Width; x++)
            {
                int[] expected = [.. Enumerable.Range(0, 3).Select(channel => Sample(x, y, samples == 1 ? 0 : channel))];
                var (red, green, blue) = image[x, y];
                int[] actual = [red, green, blue];
                Assert.Equal(expected, actual);
            }
        }
    }

    [Fact]
    public void Load_Transparent_IsLaidOverTheColour()
    {
        int Half(int x, int y, int channel) => channel == 3 ? (x == 0 ? 0 : 255) : 200;
        File.WriteAllBytes(Path.Combine(_folder, "b.tif"), Write(Written, 4, extra: 2, sample: Half));
        var path = Path.Combine(_folder, "b.tif");
        Assert.Equal(((byte)255, (byte)255, (byte)255), ImageDecoder.LoadOverWhite(path)[0, 3]);
        Assert.Equal(((byte)200, (byte)200, (byte)200), ImageDecoder.LoadOverWhite(path)[5, 3]);
        var over = ImageDecoder.LoadResized(path, (width, height) => (width, height), AlphaColour.Parse("#102030"));
        Assert.Equal(((byte)16, (byte)32, (byte)48), over[0, 3]);
        Assert.True(PictureFolder.Read(_folder, BadImagePolicy.Skip).Pictures.Single(picture => picture.Path == path).IsTransparent);

        // Multiplied with alpha: 100 at 128 of 255 is 199.
        int Multiplied(int x, int y, int channel) => channel == 3 ? 128 : 100;
        var multiplied = Write(Written, 4, extra: 1, sample: Multiplied);
        Assert.Equal(((byte)199, (byte)199, (byte)199), ImageDecoder.Decode(multiplied, "c.tif")[0, 0]);
    }

    [Fact]
    public void Decode_PaletteAndTurned_AreColoursUpright()
    {
        ushort[] Ramp(int step) => [.. Enumerable.Range(0, 256).Select(i => (ushort)(i * step % 256 * 257))];
        var file = Write(
            Written, 1, photometric: Photometric.PALETTE, set: tiff =>
            {
                tiff.SetField(TiffTag.COLORMAP, Ramp(1), Ramp(3), Ramp(7));
                tiff.SetField(TiffTag.ORIENTATION, Orientation.RIGHTTOP);
            });
        var image = ImageDecoder.Decode(file, "a.tif");
        Assert.Equal((Height, Width), (image.Width, image.Height));
        var first = Sample(0, 0, 0);
        var index = Sample(4, 2, 0);
        Assert.Equal(((byte)index, (byte)(index * 3), (byte)(index * 7)), image[Height - 1 - 2, 4]);
        Assert.Equal((byte)first, image[Height - 1, 0].Item1);
        var inverse = Write(Written, 1, photometric: Photometric.MINISWHITE);
        Assert.Equal((byte)(255 - first), ImageDecoder.Decode(inverse, "a.tif")[0, 0].Item1);
    }

    [Theory]
    [InlineData(PhotometricOfCmyk, "in colours of kind 5")]
    [InlineData("float", "in format 3; save it with 8 or 16 bits, unsigned")]
    [InlineData("preview", "a camera's raw, or begins with a preview")]
    public void Decode_OtherKinds_SaysWhatWouldBeRight(string kind, string message)
    {
        var file = kind switch
        {
            PhotometricOfCmyk => Write(Written, 4, photometric: Photometric.SEPARATED),
            "float" => Write(Written, 3, set: tiff => tiff.SetField(TiffTag.SAMPLEFORMAT, SampleFormat.IEEEFP)),
            _ => Write(Written, 3, set: tiff => tiff.SetField(TiffTag.SUBFILETYPE, FileType.REDUCEDIMAGE)),
        };
        var error = Assert.Throws<LabException>(() => ImageDecoder.Decode(file, "a.tif"));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        var bad = Assert.Single(PictureFolder.Read(_folder, BadImagePolicy.Skip).Bad);
        Assert.Contains(message, bad.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_Folder_TakesTiffOfSixteenBitsAndNoRaw()
    {
        File.WriteAllBytes(Path.Combine(_folder, "raw.nef"), Write(Written, 3, 16));
        File.Move(Path.Combine(_folder, "a.tif"), Path.Combine(_folder, "b.TIFF"));
        var folder = PictureFolder.Read(_folder, BadImagePolicy.Skip);
        Assert.Equal((Width, Height), (folder.Pictures[0].Width, folder.Pictures[0].Height));
        Assert.Contains("TIFF (or a camera's raw)", Assert.Single(folder.Bad).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Compression.NONE, 0)]
    [InlineData(Compression.LZW, 16)]
    [InlineData(Compression.ADOBE_DEFLATE, 0)]
    public void Decode_DamagedFiles_AreRefusedInOneLine(Compression compression, int tile)
    {
        var whole = Write(Written, 3, 8, compression, tile);
        for (var length = 0; length < whole.Length; length += Math.Max(1, whole.Length / 60))
            Assert.ThrowsAny<LabException>(() => ImageDecoder.Decode(whole[..length], "a.tif"));
        var random = new Random(1);
        for (var i = 0; i < 400; i++)
        {
            byte[] damaged = [.. whole];

            // Most of the harm is in the directory, which is written last.
            for (var flips = 0; flips < 3; flips++)
                damaged[random.Next(i % 2 == 0 ? whole.Length - 200 : 0, whole.Length)] = (byte)random.Next(256);
            try
            {
                ImageDecoder.Decode(damaged, "a.tif");
            }
            catch (LabException error)
            {
                Assert.StartsWith("a.tif ", error.Message, StringComparison.Ordinal);
                Assert.DoesNotContain('\n', error.Message);
            }
        }
    }

    // Directories that ask the library for lists or parts larger than the file.
    [Theory]
    [InlineData("strips", "header is broken")]
    [InlineData("tiles", "header is broken")]
    [InlineData("one tile", "at once. Save it in smaller strips or tiles")]
    [InlineData("a list many times", "header is broken")]
    public void Decode_DirectoryThatAsksForMuch_IsRefusedBeforeItIsTaken(string kind, string message)
    {
        var file = Write(Written, 3, tile: kind.Contains("tile", StringComparison.Ordinal) ? 16 : 0);
        switch (kind)
        {
            case "strips":
                Set(file, TiffTag.IMAGEWIDTH, 1);
                Set(file, TiffTag.IMAGELENGTH, 170_000_000);
                Set(file, TiffTag.ROWSPERSTRIP, 1);
                break;
            case "tiles":
                Set(file, TiffTag.IMAGEWIDTH, 13_000);
                Set(file, TiffTag.IMAGELENGTH, 13_000);
                break;
            case "one tile":
                Set(file, TiffTag.TILEWIDTH, 16_384);
                Set(file, TiffTag.TILELENGTH, 16_384);
                break;
            default:
                file = WithLists(50, 4_000_000);
                break;
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<LabException>(() => ImageDecoder.Decode(file, "a.tif"));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    // Little-endian; entries of 12 bytes: tag, type, count, value.
    private static void Set(byte[] file, TiffTag tag, uint value)
    {
        var directory = BitConverter.ToInt32(file, 4);
        for (var i = 0; i < BitConverter.ToUInt16(file, directory); i++)
        {
            var entry = directory + 2 + (12 * i);
            if (BitConverter.ToUInt16(file, entry) != (ushort)tag)
                continue;
            BitConverter.GetBytes((ushort)4).CopyTo(file, entry + 2);
            BitConverter.GetBytes(value).CopyTo(file, entry + 8);
            return;
        }

        Assert.Fail($"the file has no {tag}");
    }

    // A directory of private tags, each with the whole rest of the file as its values.
    private static byte[] WithLists(int tags, int bytes)
    {
        byte[] values = [.. BitConverter.GetBytes(bytes), .. BitConverter.GetBytes(8)];
        var entries = Enumerable.Range(40_000, tags).SelectMany(
            tag => BitConverter.GetBytes((ushort)tag).Concat(BitConverter.GetBytes((ushort)7)).Concat(values));
        return [.. "II*\0"u8, .. BitConverter.GetBytes(8 + bytes), .. new byte[bytes], .. BitConverter.GetBytes((ushort)tags), .. entries,
            0, 0, 0, 0];
    }

    private const string PhotometricOfCmyk = "cmyk";
}
