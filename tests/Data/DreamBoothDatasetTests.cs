using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Tests.Data;

public sealed class DreamBoothDatasetTests : IDisposable
{
    private readonly PictureSamples _instance = new();
    private readonly PictureSamples _class = new();

    public void Dispose()
    {
        _instance.Dispose();
        _class.Dispose();
    }

    private DreamBoothDatasetOptions Options => new()
    {
        InstanceDataDir = _instance.Folder,
        InstancePrompt = "a photo of sks cat",
        Resolution = 32,
    };

    private void AddInstances(int count)
    {
        for (var i = 0; i < count; i++)
            _instance.Add($"{i}.png", 60 + 7 * i, 48, i);
    }

    private DreamBoothDatasetOptions WithClass(int count)
    {
        for (var i = 0; i < count; i++)
            _class.Add($"class{i}.png", 50, 64, 10 + i);
        return Options with { ClassDataDir = _class.Folder, ClassPrompt = "a photo of a cat" };
    }

    private static (int Width, int Height) SizeOf(RgbImage picture) => (picture.Width, picture.Height);

    [Fact]
    public void LoadPicture_CenterCrop_GivesThePixelsOfTheStepsByHand()
    {
        AddInstances(2);
        var dataset = DreamBoothDataset.Load(Options with { CenterCrop = true });
        var rows = dataset.Rows([1, 0], epoch: 0);
        var expected = new[] { 1, 0 }.Select(
            i => ImageTransforms.CenterCrop(ImageResizer.ResizeShortSide(PictureSamples.Draw(60 + 7 * i, 48, i), 32), 32, 32));
        Assert.Equal(expected.Select(image => image.Pixels), rows.Select(row => dataset.LoadPicture(row.View).Pixels));
        Assert.Equal((67, 48), (rows[0].OriginalWidth, rows[0].OriginalHeight));
        Assert.DoesNotContain(rows, row => row.IsClass);
    }

    [Fact]
    public void Rows_WithClassPictures_PairsEachInstanceWithItsClassRow()
    {
        AddInstances(3);
        var dataset = DreamBoothDataset.Load(WithClass(5));
        Assert.Equal((3, 5, 5), (dataset.InstanceCount, dataset.ClassCount, dataset.Count));
        var rows = dataset.Rows([4, 0, 2], epoch: 0);
        Assert.Equal(
            ["1.png", "0.png", "2.png", "class4.png", "class0.png", "class2.png"], rows.Select(row => Path.GetFileName(row.View.Path)));
        Assert.Equal([false, false, false, true, true, true], rows.Select(row => row.IsClass));
        Assert.All(rows, row => Assert.Equal((32, 32), SizeOf(dataset.LoadPicture(row.View))));
        Assert.Equal(
            [.. Enumerable.Repeat("a photo of sks cat", 3), .. Enumerable.Repeat("a photo of a cat", 3)], rows.Select(row => row.Prompt));
    }

    [Fact]
    public void Rows_MoreInstancesThanClassPictures_WrapsAround()
    {
        AddInstances(3);
        var dataset = DreamBoothDataset.Load(WithClass(4) with { NumClassImages = 2, Repeats = 2 });
        Assert.Equal((6, 2, 6), (dataset.InstanceCount, dataset.ClassCount, dataset.Count));
        var rows = dataset.Rows([0, 1, 2, 3, 4, 5], epoch: 0);
        Assert.Equal(["0.png", "0.png", "1.png", "1.png", "2.png", "2.png"], rows.Take(6).Select(row => Path.GetFileName(row.View.Path)));
        Assert.Equal(
            ["class0.png", "class1.png", "class0.png", "class1.png", "class0.png", "class1.png"],
            rows.Skip(6).Select(row => Path.GetFileName(row.View.Path)));
    }

    [Fact]
    public void Rows_RandomCrop_IsInsideAndTheSameInEveryEpoch()
    {
        AddInstances(2);
        var dataset = DreamBoothDataset.Load(Options with { Repeats = 40, Seed = 5 });
        var items = Enumerable.Range(0, 80).ToArray();
        var crops = dataset.Rows(items, 0).Select(row => row.View.Crop).ToArray();
        Assert.Equal(crops, dataset.Rows(items, 3).Select(row => row.View.Crop));
        Assert.All(crops, crop => Assert.True(crop is { Top: 0, Width: 32, Height: 32, Left: >= 0 }));
        Assert.Equal(Enumerable.Range(0, 40 - 32 + 1), crops.Take(40).Select(crop => crop.Left).Distinct().Order());
        Assert.NotEqual(crops, DreamBoothDataset.Load(Options with { Repeats = 40, Seed = 6 }).Rows(items, 0).Select(row => row.View.Crop));
        Assert.All(dataset.Rows(items, 0), row => Assert.Equal((32, 32), SizeOf(dataset.LoadPicture(row.View))));
    }

    [Fact]
    public void Load_VeryManyRepeats_ReadsEachCaptionOnceAndListsNoRows()
    {
        AddInstances(2);
        _instance.AddText("0.txt", "the first");
        _instance.Add("2.png", 48, 48, 2);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var dataset = DreamBoothDataset.Load(Options with { Repeats = 100_000, RandomFlip = true });
        Assert.Equal((300_000, 2), (dataset.InstanceCount, dataset.DistinctPrompts.Count));

        // 40 and 44 pixels wide where 32 are seen: 9 and 13 crops; a square picture has one.
        Assert.Equal(2 * (9 + 13 + 1), dataset.DistinctViews.Count);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 40_000_000);
        Assert.Equal(["the first", "a photo of sks cat"], dataset.Rows([99_999, 100_000], 0).Select(row => row.Prompt));
        Assert.Contains(dataset.Rows([299_999], 0)[0].View, dataset.DistinctViews);
        var error = Assert.ThrowsAny<LabException>(() => DreamBoothDataset.Load(Options with { Repeats = 1_000_000_000 }));
        Assert.Contains("Give at most 715", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DistinctViews_ClassPicturesThatAreInstances_AreThereOnce()
    {
        _instance.Add("square.png", 48, 48, 1);
        var dataset = DreamBoothDataset.Load(Options with { ClassDataDir = Options.InstanceDataDir, ClassPrompt = "a photo of cat" });
        Assert.Equal((1, 1), (dataset.InstanceCount, dataset.ClassCount));
        Assert.Single(dataset.DistinctViews);
    }

    [Fact]
    public void Rows_RandomFlip_MirrorsInstancesInHalfOfTheEpochsBeforeTheCrop()
    {
        AddInstances(4);
        var dataset = DreamBoothDataset.Load(WithClass(4) with { RandomFlip = true });
        var rows = Enumerable.Range(0, 200).SelectMany(epoch => dataset.Rows([0, 1, 2, 3], epoch)).ToArray();
        Assert.InRange(rows.Count(row => row.View.Flip), 340, 460);
        Assert.DoesNotContain(rows, row => row.IsClass && row.View.Flip);
        var flipped = rows.First(row => row.View.Flip).View;
        var resized = ImageResizer.ResizeShortSide(ImageDecoder.Load(flipped.Path), 32);
        Assert.Equal(
            ImageTransforms.Crop(ImageTransforms.FlipHorizontally(resized), flipped.Crop).Pixels, dataset.LoadPicture(flipped).Pixels);
        Assert.Equal(12, dataset.DistinctViews.Count);
        Assert.Superset(rows.Select(row => row.View).ToHashSet(), dataset.DistinctViews.ToHashSet());
    }

    [Fact]
    public void Load_Captions_ComeFromMetadataThenTextThenThePrompt()
    {
        AddInstances(4);
        _instance.AddText("metadata.jsonl", """
            {"file_name": "0.png", "text": "sks cat on\na chair"}

            {"image": "1.png", "text": ""}
            """);
        _instance.AddText("0.txt", "not this one");
        _instance.AddText("1.txt", "  sks cat\r\nasleep \n");
        _instance.AddText("2.txt", " \n");
        var dataset = DreamBoothDataset.Load(WithClass(1));
        Assert.Equal(
            ["sks cat on a chair", "sks cat asleep", "a photo of sks cat", "a photo of sks cat"],
            dataset.Rows([0, 1, 2, 3], 0).Take(4).Select(row => row.Prompt));
        Assert.Equal(["sks cat on a chair", "sks cat asleep", "a photo of sks cat", "a photo of a cat"], dataset.DistinctPrompts);
    }

    [Fact]
    public void Load_CaptionColumn_IsRead()
    {
        AddInstances(1);
        _instance.AddText("metadata.jsonl", """{"picture": "0.png", "text": "no", "words": "yes"}""");
        var options = Options with { ImageColumn = "picture", CaptionColumn = "words" };
        Assert.Equal("yes", DreamBoothDataset.Load(options).Rows([0], 0)[0].Prompt);
    }

    [Theory]
    [InlineData("""{"file_name": "0.png", "text": 1""", "line 1 is not valid JSON")]
    [InlineData("""[1]""", "line 1 is not a JSON object")]
    [InlineData("\n{\"text\": \"x\"}", "line 2 names no picture")]
    [InlineData("""{"file_name": "9.png", "text": "x"}""", "names the picture 9.png, which is not in the folder")]
    [InlineData("{\"file_name\": \"0.png\"}\n{\"file_name\": \"0.png\"}", "line 2 names the picture 0.png a second time")]
    [InlineData("""{"file_name": "0.png", "text": "x"}""", "has no key \"words\"; its keys are \"file_name\", \"text\"", "words")]
    public void Load_MalformedMetadata_SaysWhere(string metadata, string message, string? column = null)
    {
        AddInstances(1);
        _instance.AddText("metadata.jsonl", metadata);
        var error = Assert.Throws<LabException>(() => DreamBoothDataset.Load(Options with { CaptionColumn = column }));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_BadFilesSkipped_AreReported()
    {
        AddInstances(2);
        _instance.AddText("x.jpg", "nothing");
        _instance.Add("tiny.png", 31, 100);
        var dataset = DreamBoothDataset.Load(Options with { OnBadImage = BadImagePolicy.Skip });
        Assert.Equal(2, dataset.Count);
        Assert.Equal(["tiny.png", "x.jpg"], dataset.Subjects[0].Folder.Bad.Select(bad => Path.GetFileName(bad.Path)));
        Assert.Throws<LabException>(() => DreamBoothDataset.Load(Options));
    }

    [Fact]
    public void Load_NoPictures_SaysSo()
    {
        _instance.AddText("x.jpg", "nothing");
        var error = Assert.Throws<LabException>(() => DreamBoothDataset.Load(Options with { OnBadImage = BadImagePolicy.Skip }));
        Assert.Contains("holds no usable picture", error.Message, StringComparison.Ordinal);
        Assert.Contains("x.jpg", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WrongOptions_ListsAllOfThem()
    {
        var options = Options with
        {
            Resolution = 8,
            Repeats = 0,
            InstancePrompt = " ",
            ClassDataDir = "x",
            NumClassImages = 0,
            MinImageSize = 0,
        };
        var error = Assert.Throws<LabException>(() => DreamBoothDataset.Load(options));
        Assert.All(
            new[] { "Resolution is 8", "Repeats is 0", "InstancePrompt is empty", "without ClassPrompt", "NumClassImages is 0",
                "MinImageSize is 0" },
            part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void LoadPicture_RealPhotos_AreAllReadAndVaried()
    {
        var folder = Path.Combine(Golden.GoldenSet.Root, "..", "photos");
        Assert.SkipUnless(Directory.Exists(folder), "the real photos are not here");
        var dataset = DreamBoothDataset.Load(Options with { InstanceDataDir = folder, Resolution = 64, CenterCrop = true });
        Assert.Empty(dataset.Subjects[0].Folder.Bad);
        Assert.Equal(Directory.GetFiles(folder, "*.jpeg").Length, dataset.Count);
        using var pixels = PixelTensors.Stack(
            [.. dataset.Rows([.. Enumerable.Range(0, dataset.Count)], 0).Select(row => dataset.LoadPicture(row.View))]);
        Assert.Equal([dataset.Count, 3, 64, 64], pixels.shape);
        Assert.All(pixels.unbind(), picture => Assert.InRange(picture.std().item<float>(), 0.1f, 1f));
    }
}
