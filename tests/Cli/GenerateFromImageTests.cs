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
    public void Generate_AMaskThatFitsNotEveryPicture_IsRefusedBeforeTheFirst()
    {
        var mask = Path.Combine(_pictures.Folder, "masks", "mask.png");
        var white = new RgbImage(64, 32);
        white.Pixels.AsSpan().Fill(255);
        ImageEncoder.Save(mask, white);
        var (code, _, error) = Generate("--image", _pictures.Folder, "--mask", mask);
        Assert.NotEqual(0, code);
        Assert.Contains("the mask has 64x32 pixels and", error, StringComparison.Ordinal);
        Assert.Contains("b.png 32x64", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Out));
    }

    [Fact]
    public void From_APictureOfAPicture_IsRepeatedWhereTheFilesAreThere()
    {
        var mask = new RgbImage(32, 64);
        mask.Pixels.AsSpan(0, mask.Pixels.Length / 2).Fill(255);
        var (folder, masks) = (_pictures.PathOf("pictures"), _pictures.PathOf("masks"));
        Directory.CreateDirectory(folder);
        File.Copy(_pictures.PathOf("b.png"), Path.Combine(folder, "b.png"));
        ImageEncoder.Save(Path.Combine(folder, "c.png"), PictureSamples.Draw(32, 64, 3));
        ImageEncoder.Save(Path.Combine(masks, "mask.png"), mask);
        AssertMade(4, string.Empty, Generate(
            "--image", folder, "--mask", Path.Combine(masks, "mask.png"), "--num_images=2", "--sampler=lcm", "--strength=0.7"));
        var (source, again) = (PathOf(3), _pictures.PathOf("again"));

        var (code, output, error) = From(source, again, "--image", folder, "--mask", masks);
        Assert.Equal((0, string.Empty), (code, error));
        Assert.Contains("bit for bit", output, StringComparison.Ordinal);
        Assert.Equal(ImageNote.Read(File.ReadAllBytes(source)), ImageNote.Read(File.ReadAllBytes(Path.Combine(again, "img_03.png"))));
        output = From(source, again, "--image", folder, "--mask=alpha", "--overwrite").Error;
        Assert.Contains("has no transparent pixels", output, StringComparison.Ordinal);
        output = From(source, again, "--image", _pictures.PathOf("a.png"), "--mask", masks, "--overwrite").Error;
        Assert.Contains("their shapes must be one", output, StringComparison.Ordinal);
        output = From(source, again, "--image", _pictures.PathOf("b.png"), "--mask", masks, "--overwrite", "--strength=0.5").Output;
        Assert.Contains("strength is 0.5; the picture's was 0.7.", output, StringComparison.Ordinal);
        Assert.Contains("b.png; the picture's was one with the SHA-256 ", output, StringComparison.Ordinal);
        output = From(source, again, "--image", masks, "--overwrite").Error;
        Assert.Contains("was begun from a picture with the SHA-256 ", output, StringComparison.Ordinal);
        Assert.Contains("Name its file, or a folder with it, by --image.", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_ImageAndMask_AreTheSameInEveryMemoryMode()
    {
        var mask = new RgbImage(64, 32);
        mask.Pixels.AsSpan(0, mask.Pixels.Length / 2).Fill(255);
        ImageEncoder.Save(_pictures.PathOf("mask.png"), mask);
        byte[]? fast = null;
        foreach (var memory in new[] { "fast", "balanced", "low" })
        {
            AssertMade(1, string.Empty, Generate(
                "--image", _pictures.PathOf("a.png"), "--mask", _pictures.PathOf("mask.png"), "--memory", memory, "--overwrite"));
            fast ??= Made(0).Image.Pixels;
            Assert.Equal(fast, Made(0).Image.Pixels);
        }
    }

    [Fact]
    public void Generate_MaskThatIsNone_IsTold()
    {
        void Fails(string message, string mask) => Assert.Contains(
            message, Generate("--image", _pictures.PathOf("a.png"), "--mask", mask).Error, StringComparison.Ordinal);
        ImageEncoder.Save(_pictures.PathOf("black.png"), new RgbImage(64, 32));
        var dot = new RgbImage(64, 32);
        dot.Row(3)[..9].Fill(255);
        ImageEncoder.Save(_pictures.PathOf("dot.png"), dot);
        File.WriteAllText(_pictures.PathOf("text.png"), "no picture");
        Fails("is black everywhere, so nothing would be made anew", _pictures.PathOf("black.png"));
        Fails("The mask is black at the pixels that decide", _pictures.PathOf("dot.png"));
        Fails("The mask is alhpa, which is no file; valid is a picture's file, or alpha", "alhpa");
        Fails("which is no file", _pictures.Folder);
        Fails("text.png", _pictures.PathOf("text.png"));
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

    private static (int Code, string Output, string Error) From(string source, string output, params string[] more) => Run(
        ["generate", "--from", source, "--model", TinyPipeline.Folder, $"--tokenizers={TinyTokenizers.Root}", "--device=cpu", "--outdir",
            output, .. more]);

    private (int Code, string Output, string Error) Generate(params string[] more)
        => Run(
            ["generate", "--model", TinyPipeline.Folder, $"--tokenizers={TinyTokenizers.Root}", "--num_steps=4", "--guidance=1",
                "--prompt=a cat", "--max_sequence_length=8", "--device=cpu", "--outdir", Out, .. more]);

    private static (int Code, string Output, string Error) Run(string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = LabCommandLine.Run(arguments, new Session(output, error, IsInteractive: false, CancellationToken.None));
        return (code, output.ToString(), error.ToString());
    }
}
