using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Tests.Data;

namespace Dreambooth.Lab.Tests.Imaging;

public sealed class ImageNoteTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-note-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("x.png")]
    [InlineData("x.jpg")]
    public void Read_SavedNote_IsTheTextAndThePictureAsWithout(string name)
    {
        var image = PictureSamples.Draw(40, 24, 3);
        var (with, without) = (Path.Combine(_folder, name), Path.Combine(_folder, "plain" + name));
        foreach (var note in new[] { "", "a cat\nwith wings: \"größer\" 猫 🐈", new string('x', 60_000) })
        {
            ImageNote.Save(with, image, note);
            ImageEncoder.Save(without, image);
            Assert.Equal(note, ImageNote.Read(File.ReadAllBytes(with)));
            Assert.Null(ImageNote.Read(File.ReadAllBytes(without)));
            Assert.Equal(ImageDecoder.Load(without).Pixels, ImageDecoder.Load(with).Pixels);
            Assert.Equal(ImageDecoder.ReadInfo(File.ReadAllBytes(without), without), ImageDecoder.ReadInfo(File.ReadAllBytes(with), with));
        }
    }

    [Theory]
    [InlineData("a größer cat\nSteps: 28", "tEXt")]
    [InlineData("ネコ and 猫 🐈\nSteps: 28", "iTXt")]
    public void Save_Parameters_StandInAChunkOfTheirOwn(string text, string kind)
    {
        var path = Path.Combine(_folder, "x.png");
        ImageNote.Save(path, new RgbImage(8, 8), "the note", text);
        var file = File.ReadAllBytes(path);
        Assert.Equal("the note", ImageNote.Read(file));
        var found = new List<(string Kind, string Text)>();
        for (var at = 8; at < file.Length;)
        {
            var length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
            var name = System.Text.Encoding.ASCII.GetString(file, at + 4, 4);
            var content = file.AsSpan(at + 8, length);
            if (content.StartsWith("parameters\0"u8))
            {
                found.Add((name, name == "tEXt"
                    ? System.Text.Encoding.Latin1.GetString(content[11..]) : System.Text.Encoding.UTF8.GetString(content[15..])));
            }

            at += 12 + length;
        }

        Assert.Equal([(kind, text)], found);
    }

    [Fact]
    public void Save_NoteTooLongForJpeg_WritesThePictureWithoutIt()
    {
        var path = Path.Combine(_folder, "x.jpg");
        ImageNote.Save(path, new RgbImage(8, 8), new string('x', 70_000));
        Assert.Null(ImageNote.Read(File.ReadAllBytes(path)));
        Assert.Equal(8, ImageDecoder.Load(path).Width);
    }

    [Theory]
    [InlineData("x.png")]
    [InlineData("x.jpg")]
    public void Read_CutFile_NeverThrows(string name)
    {
        var path = Path.Combine(_folder, name);
        ImageNote.Save(path, new RgbImage(8, 8), "a cat");
        var whole = File.ReadAllBytes(path);
        for (var length = 0; length < whole.Length; length++)
            Assert.True(ImageNote.Read(whole.AsSpan(0, length)) is null or "a cat");
    }
}
