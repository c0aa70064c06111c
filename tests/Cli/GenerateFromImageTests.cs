using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;

namespace Dreambooth.Lab.Tests.Cli;

/// <summary><c>generate --image</c> on what the repository itself holds.</summary>
public sealed class GenerateFromImageTests : IDisposable
{
    private readonly PictureSamples _pictures = new();

    public GenerateFromImageTests()
    {
        _pictures.Add("a.png", 64, 32, 1);
        _pictures.Add("b.png", 32, 64, 2);
    }

    private string Out => Path.Combine(_pictures.Folder, "out");

    public void Dispose() => _pictures.Dispose();

    [Fact]
    public void Generate_ImageFolder_MakesOfEachAsManyAndKeepsThem()
    {
        string[] arguments = ["--image", _pictures.Folder, "--strength=0.5", "--num_images=2"];
        AssertMade(4, string.Empty, Generate(arguments));
        var (first, last) = (Made(0), Made(3));
        Assert.True(first.Image.Width > first.Image.Height && last.Image.Width < last.Image.Height);
        Assert.Contains("\"strength\": 0.5".Replace(" ", string.Empty), first.Note.Replace(" ", string.Empty), StringComparison.Ordinal);
        Assert.Contains("image_sha256", first.Note, StringComparison.Ordinal);
        AssertMade(4, "; 4 of them there", Generate(arguments));

        File.Delete(PathOf(1));
        AssertMade(4, "; 3 of them there", Generate(arguments));
        Assert.Equal(first.Image.Pixels, Made(0).Image.Pixels);
        AssertMade(4, string.Empty, Generate("--image", _pictures.Folder, "--strength=0.6", "--num_images=2"));
        Assert.NotEqual(first.Image.Pixels, Made(0).Image.Pixels);
    }

    [Fact]
    public void Generate_Mask_IsAFileOrWhatIsTransparent()
    {
        var mask = new RgbImage(64, 32);
        mask.Pixels.AsSpan(0, mask.Pixels.Length / 2).Fill(255);
        ImageEncoder.Save(_pictures.PathOf("mask.png"), mask);
        var image = _pictures.PathOf("a.png");
        AssertMade(1, string.Empty, Generate("--image", image, "--mask", _pictures.PathOf("mask.png")));
        Assert.Contains("\"mask\"", Made(0).Note, StringComparison.Ordinal);

        var (code, _, error) = Generate("--image", image, "--mask=alpha");
        Assert.NotEqual(0, code);
        Assert.Contains("has no transparent pixels, which mask=alpha asks to make anew", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_WrongImageOptions_AreToldInOneMessage()
    {
        void Fails(string message, params string[] arguments) =>
            Assert.Contains(message, Generate(arguments).Error, StringComparison.Ordinal);
        Fails("image is needed", "--strength=0.5");
        Fails("image is needed", "--mask=alpha");
        Fails("strength is 0; valid is more than 0, at most 1", "--image", _pictures.PathOf("a.png"), "--strength=0");
        Fails("nowhere.png", "--image", _pictures.PathOf("nowhere.png"));
        Fails("has no pictures", "--image", Directory.CreateDirectory(_pictures.PathOf("none")).FullName);
        Fails("the mask has 32x64 pixels", "--image", _pictures.PathOf("a.png"), "--mask", _pictures.PathOf("b.png"));
    }

    private static void AssertMade(int count, string more, (int Code, string Output, string Error) run)
    {
        Assert.Equal((0, string.Empty), (run.Code, run.Error));
        Assert.Contains($"{count} picture", run.Output, StringComparison.Ordinal);
        Assert.Equal(more.Length > 0, run.Output.Contains("of them there", StringComparison.Ordinal));
        Assert.Contains(more, run.Output, StringComparison.Ordinal);
    }

    private string PathOf(int image) => Directory.GetFiles(Directory.GetDirectories(Out)[0], $"img_{image:00}.png").Single();

    private (RgbImage Image, string Note) Made(int image) =>
        (ImageDecoder.Load(PathOf(image)), ImageNote.Read(File.ReadAllBytes(PathOf(image)))!);

    private (int Code, string Output, string Error) Generate(params string[] more)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = LabCommandLine.Run(
            ["generate", "--model", TinyPipeline.Folder, $"--tokenizers={TinyTokenizers.Root}", "--num_steps=4", "--guidance=1",
                "--prompt=a cat", "--max_sequence_length=8", "--device=cpu", "--outdir", Out, .. more],
            new Session(output, error, IsInteractive: false, CancellationToken.None));
        return (code, output.ToString(), error.ToString());
    }
}
