using System.Text;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Tests.Imaging;

public class UnreadFormatTests
{
    [Theory]
    [InlineData(
        "\0\0\0\u0018ftypheic\0\0\0\0mif1heic",
        "a picture in the HEIC format, which is not read; convert it: heif-convert \"IMG_1.jpg\" \"IMG_1.png\"")]
    [InlineData("\0\0\0\u0018ftypmif1\0\0\0\0heicmiaf", "HEIC format")]
    [InlineData("\0\0\0\u001cftypavif\0\0\0\0mif1avifmiaf", "AVIF format")]
    [InlineData("\0\0\0\u001cftypmif1\0\0\0\0avifmiafMA1A", "AVIF format")]
    [InlineData("\0\0\0\u0014ftypqt  \0\0\0\0qt  ", "a video, not a picture")]
    [InlineData("GIF89a and more", "a picture in the GIF format, which is not read; convert it: magick \"IMG_1.jpg\" \"IMG_1.png\"")]
    [InlineData("II*\0and more", "TIFF")]
    [InlineData("\0\0\0\u000cJXL \r\n\u0087\n", "JPEG XL")]
    public void Describe_KnownFormats_AreNamedWithWhatConvertsThem(string content, string expected) =>
        Assert.Contains(expected, UnreadFormat.Describe(Encoding.Latin1.GetBytes(content), "IMG_1.jpg"), StringComparison.Ordinal);

    [Theory]
    [InlineData("hello")]
    [InlineData("")]
    [InlineData("\0\0\0\u0018fty")]
    public void Describe_OtherContent_IsNull(string content) =>
        Assert.Null(UnreadFormat.Describe(Encoding.Latin1.GetBytes(content), "a.jpg"));

    [Fact]
    public void Decode_HeicNamedJpg_SaysHeic()
    {
        var error = Assert.Throws<LabException>(
            () => ImageDecoder.Decode(Encoding.Latin1.GetBytes("\0\0\0\u0018ftypheic\0\0\0\0mif1heic and pixels"), "cat.jpg"));
        Assert.Equal(
            "cat.jpg is a picture in the HEIC format, which is not read; convert it: heif-convert \"cat.jpg\" \"cat.png\".", error.Message);
    }
}
