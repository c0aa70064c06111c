using Dreambooth.Lab.Bench;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Tokenizers;

namespace Dreambooth.Lab.Tests.Bench;

public sealed class BenchCommandLineTests
{
    [Theory]
    [InlineData(
        "There is no verb 'safetensor'; valid are safetensors, encoders, kernel, memory, precision, scaling, full-size, operations, "
        + "approximations.", "safetensor", "--size_mib", "16")]
    [InlineData("There is no flag --size; nearest are --size_mib, --file, --help. safetensors --help lists", "safetensors", "--size", "16")]
    [InlineData("--size_mib is 'x'; valid is a whole number, at least 16.", "safetensors", "--size_mib", "x")]
    [InlineData("--compute_ms is 0; valid is", "scaling", "--compute_ms", "0")]
    [InlineData("--cells is 0; valid is at least 60", "kernel", "--cells", "0")]
    public void Run_WrongCommandLine_SaysWhatIsValidAndExits2(string message, params string[] args)
    {
        var (code, output, error) = Run(args);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Safetensors_SmallFile_PrintsItsFigures()
    {
        var (code, output, error) = Run("safetensors", "--size_mib", "32");
        Assert.Equal((0, ""), (code, error));
        Assert.Matches(@"^tensors +32\.0 MiB\s+open, before first touch +[\d.]+ ms\s", output);
    }

    [Fact]
    public void Encoders_TinyOnes_TimeEveryPartOfEveryPicture()
    {
        var (code, output, error) = Run("encoders", "--tiny", "--device", "cpu", "--pictures", "5", "--size", "48", "--batch_size", "2");
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(["decode", "prepare", "encode", "all"], output.TrimEnd().Split('\n').Select(line => line.Split([' ', ','])[0]));
        Assert.All(output.TrimEnd().Split('\n'), line => Assert.Matches(@" +[\d.]+ s +[\d.]+ pictures/s$", line));
    }

    [Fact]
    public void Encoders_Folder_KeepsPicturesConfigsAndTheValuesOfOddPictures()
    {
        using var folder = new TemporaryFolder();
        var (code, _, error) = Run(
            "encoders", "--tiny", "--device", "cpu", "--pictures", "3", "--size", "48", "--folder", folder.Path);
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(3, Directory.GetFiles(Path.Combine(folder.Path, "pictures"), "*.png").Length);
        Assert.Equal("vit", ViTConfig.Read(Path.Combine(folder.Path, "dino", "config.json")).ModelType);
        Assert.Equal(16, CLIPVisionConfig.Read(Path.Combine(folder.Path, "clip", "config.json")).ProjectionDim);
        Assert.All(
            Directory.GetFiles(folder.Path, "*config.json", SearchOption.AllDirectories),
            file => Assert.DoesNotContain("null", File.ReadAllText(file), StringComparison.Ordinal));
        using var values = SafetensorsFile.Open(Path.Combine(folder.Path, "pixels.safetensors"));
        string?[] pictures = [.. Directory.GetFiles(Path.Combine(folder.Path, "odd"), "*.png").Select(Path.GetFileNameWithoutExtension)];
        Assert.Equal(
            pictures.SelectMany(name => (string[])[
                $"clip/paper/{name}", $"clip/published/{name}", $"dino/paper/{name}", $"dino/published/{name}"])
                .Order(StringComparer.Ordinal),
            values.Tensors.Keys.Order(StringComparer.Ordinal));
        // What is kept is what the pictures there give.
        var image = ImageDecoder.Load(Path.Combine(folder.Path, "odd", "331x247.png"));
        using var again = ImageProcessor.Load(Path.Combine(folder.Path, "dino"), ImageProtocol.Paper).Stack([image]);
        using var kept = values.Load("dino/paper/331x247");
        Assert.Equal(again.data<float>().ToArray(), kept.data<float>().ToArray());
    }

    private static (int Code, string Output, string Error) Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = LabCommandLine.Run(
            args, new Session(output, error, IsInteractive: false, CancellationToken.None), BenchCommandLine.Create);
        return (code, output.ToString(), error.ToString());
    }
}
