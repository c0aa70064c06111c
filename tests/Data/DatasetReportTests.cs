using System.Text;
using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Tests.Imaging;

namespace Dreambooth.Lab.Tests.Data;

public sealed class DatasetReportTests : IDisposable
{
    private readonly PictureSamples _samples = new();

    public void Dispose() => _samples.Dispose();

    private DreamBoothDatasetOptions Options => new()
    {
        InstanceDataDir = _samples.Folder,
        InstancePrompt = "a photo of gmc cat",
        Resolution = 32,
    };

    private DatasetReport Report(DreamBoothDatasetOptions? options = null) =>
        DatasetReport.OfInstances(DreamBoothDataset.Load(options ?? Options));

    private void AddPictures(int count)
    {
        _samples.AddMany(count);
    }

    [Fact]
    public void OfInstances_PlainFolder_HasNothingToWarnOf()
    {
        AddPictures(3);
        var report = Report();
        Assert.Equal(
            [$"3 pictures in {_samples.Folder}", "No captions of their own; 3 with the instance prompt \"a photo of gmc cat\""],
            report.Lines);
        Assert.Empty(report.Warnings);
    }

    [Fact]
    public void OfInstances_CaptionsOfSome_CountsAndNamesTheRest()
    {
        AddPictures(7);
        _samples.AddText("metadata.jsonl", "{\"file_name\": \"./0.png\", \"text\": \"a\"}\n{\"file_name\": \"1.png\", \"text\": \" \"}");
        _samples.AddText("0.txt", "not used");
        _samples.AddText("2.TXT", "b");
        var report = Report(Options with { Repeats = 2 });
        Assert.Equal(
            [
                $"7 pictures in {_samples.Folder}, each 2 times an epoch",
                "2 with captions of their own (1 from metadata.jsonl, 1 from text files); 5 with the instance prompt \"a photo of gmc "
                + "cat\"",
            ],
            report.Lines);
        Assert.Equal(
            [
                "metadata.jsonl has the text of pictures that have a text file too; not used: 0.txt.",
                "5 of 7 pictures have no caption of their own and are trained on the instance prompt: 1.png, 3.png, "
                + "4.png, 5.png and 1 more.",
            ],
            report.Warnings);
    }

    [Fact]
    public void OfInstances_FoldersInside_AreSaidOrReadWhereListed()
    {
        AddPictures(1);
        foreach (var name in new[] { "a/x.png", "a/y.JPG", "a/b/z.png", ".hidden/h.png" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_samples.PathOf(name))!);
            _samples.Add(name.Replace("JPG", "jpg", StringComparison.Ordinal));
        }

        _samples.AddText("a/x.txt", "a caption inside");
        var report = Report();
        Assert.StartsWith("1 picture in " + _samples.Folder + " (3 in subfolders not read)", report.Lines[0], StringComparison.Ordinal);
        Assert.Contains(
            $"3 pictures in subfolders of {_samples.Folder} are not read: a/b/z.png, a/x.png, a/y.jpg. Move them up",
            Assert.Single(report.Warnings), StringComparison.Ordinal);

        _samples.AddText(
            "metadata.jsonl", "{\"file_name\": \"0.png\", \"text\": \"top\"}\n{\"file_name\": \"a/x.png\", \"text\": \"listed\"}");
        var dataset = DreamBoothDataset.Load(Options);
        Assert.Equal(["top", "listed"], dataset.Rows([0, 1], 0).Select(row => row.Prompt));
        Assert.StartsWith(
            $"2 pictures in {_samples.Folder} (2 in subfolders not read)", DatasetReport.OfInstances(dataset).Lines[0],
            StringComparison.Ordinal);
    }

    [Fact]
    public void Load_PicturesInFoldersInsideAlone_SaysWhereTheyLie()
    {
        Directory.CreateDirectory(_samples.PathOf("10_gmc cat"));
        _samples.Add("10_gmc cat/1.png");
        Assert.Contains(
            "Pictures in subfolders are not read: 10_gmc cat/1.png.", Assert.Throws<LabException>(() => Report()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void OfInstances_TransparentAndLongPictures_AreSaid()
    {
        AddPictures(1);
        File.WriteAllBytes(_samples.PathOf("glass.webp"), PlainWebp.Of(64, 64, alpha: 0));
        _samples.Add("pano.png", 3200, 40);
        _samples.Add("wide.png", 100, 40);
        var dataset = DreamBoothDataset.Load(Options);
        Assert.Equal(
            [
                $"Where pictures of {_samples.Folder} are transparent, white is trained on: glass.webp.",
                "pano.png has 3200x40 pixels: the square crop keeps 1 % of it. Cut out what it is to show.",
            ],
            DatasetReport.OfInstances(dataset).Warnings);
        var glass = dataset.Rows([1], 0)[0].View;
        Assert.EndsWith("glass.webp", glass.Path, StringComparison.Ordinal);
        Assert.All(dataset.LoadPicture(glass).Pixels, value => Assert.Equal(255, value));
    }

    [Fact]
    public void Load_PictureOfAHundredTimesItsHeight_IsBad()
    {
        AddPictures(1);
        ImageEncoder.Save(_samples.PathOf("line.png"), new RgbImage(3_300, 32));
        Assert.Contains(
            "3300x32 pixels; one side is more than 100 times the other", Assert.Throws<LabException>(() => Report()).Message,
            StringComparison.Ordinal);
        Assert.StartsWith(
            $"{_samples.PathOf("line.png")} is skipped: 3300x32 pixels",
            Assert.Single(Report(Options with { OnBadImage = BadImagePolicy.Skip }).Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void OfClasses_PicturesOfAFolder_SaysHowManyAreUsed()
    {
        AddPictures(1);
        using var classes = new PictureSamples();
        for (var i = 0; i < 3; i++)
            classes.Add($"{i}.png");
        var dataset = DreamBoothDataset.Load(
            Options with { ClassDataDir = classes.Folder, ClassPrompt = "a photo of a cat", NumClassImages = 2 });
        Assert.Equal(
            [$"2 of 3 class pictures in {classes.Folder}, with the prompt \"a photo of a cat\""], DatasetReport.OfClasses(dataset).Lines);
        Assert.Empty(DatasetReport.OfClasses(DreamBoothDataset.Load(Options)).Lines);
    }

    [Fact]
    public void Read_FourPlainPicturesOfManyPixels_AreRefusedAndNamed()
    {
        for (var i = 0; i < 4; i++)
            File.WriteAllBytes(_samples.PathOf($"{i}.webp"), PlainWebp.Of(13_377, 13_377));
        var message = Assert.Throws<LabException>(() => PictureFolder.Read(_samples.Folder, BadImagePolicy.Refuse)).Message;
        Assert.StartsWith("4 of 4 files in ", message, StringComparison.Ordinal);
        Assert.Contains("\n  3.webp: the file has 13377x13377 pixels in 34 B: one plain area", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_HeicNamedJpg_SaysHeicAndTheFlag()
    {
        File.WriteAllBytes(_samples.PathOf("IMG_1.jpg"), Encoding.Latin1.GetBytes("\0\0\0\u0018ftypheic\0\0\0\0mif1heic and pixels"));
        File.WriteAllBytes(_samples.PathOf("IMG_2.HEIC"), Encoding.Latin1.GetBytes("\0\0\0\u0018ftypheic\0\0\0\0mif1heic and pixels"));
        File.Copy(_samples.Add("a.png"), _samples.PathOf("b.jfif"));
        var message = Assert.Throws<LabException>(() => PictureFolder.Read(_samples.Folder, BadImagePolicy.Refuse)).Message;
        Assert.Contains(
            "\n  IMG_1.jpg: a picture in the HEIC format, which is not read; convert it: heif-convert \"IMG_1.jpg\" \"IMG_1.png\"", message,
            StringComparison.Ordinal);
        Assert.Contains("\n  IMG_2.HEIC: a picture in the HEIC format", message, StringComparison.Ordinal);
        Assert.Contains("\n  b.jfif: a Png picture by its content, but its name does not end so", message, StringComparison.Ordinal);
        Assert.EndsWith("leave them out with --on_bad_image skip.", message, StringComparison.Ordinal);
    }
}
