using Dreambooth.Lab.Hub;

namespace Dreambooth.Lab.Tests.Hub;

/// <summary>Which files are chosen of datasets in the layouts that are published.</summary>
public sealed class DatasetSelectionTests
{
    [Theory]
    [InlineData("alone", null, "a.jpeg b.PNG", "")]
    [InlineData("listed", null, "metadata.jsonl images/a.png images/deep/b.png", "")]
    [InlineData("csv", null, "train/metadata.csv train/a.png train/b.png", "train")]
    [InlineData("captioned", null, "train/a.png train/a.txt", "train")]
    [InlineData("split", null, "data/train/a.png", "data/train")]
    [InlineData("split", "test", "data/test/b.png", "data/test")]
    [InlineData("subjects", "backpack", "dataset/backpack/0.jpg dataset/backpack/1.jpg", "dataset/backpack")]
    [InlineData("subjects", "dataset/cat/", "dataset/cat/0.jpg", "dataset/cat")]
    [InlineData("alone", "default", "a.jpeg b.PNG", "")]
    public void Choose_PublishedLayout_TakesThePicturesOfOneFolder(string layout, string? part, string expected, string folder)
    {
        var choice = DatasetSelection.Choose(Layout(layout), part, "lab/photos");
        Assert.Equal(expected.Split(' ').Order(StringComparer.Ordinal), choice.Files.Order(StringComparer.Ordinal));
        Assert.Equal(folder, DatasetSelection.FolderOf(choice.Files));
        Assert.Empty(choice.Notes);
    }

    [Fact]
    public void Choose_PicturesAtTheTopAndInFolders_TakesTheTopAndSaysSo()
    {
        var choice = DatasetSelection.Choose(["0.png", "assets/x.png", "README.md"], null, "lab/photos");
        Assert.Equal(["0.png"], choice.Files);
        Assert.Equal(
            "Of lab/photos the 1 pictures of its top are taken, and none of the folders assets; dataset_config_name names a folder.",
            Assert.Single(choice.Notes));
    }

    [Theory]
    [InlineData("subjects", null, "lie in 2 folders: dataset/backpack, dataset/cat. Name one with dataset_config_name")]
    [InlineData("subjects", "bakpack", "has no folder 'bakpack', as dataset_config_name says. Nearest: ")]
    [InlineData("twice", "a", "lie in 2 folders: x/a, y/a")]
    [InlineData("parquet", null, "such as data/train-00000-of-00001.parquet, which are not read here. Write them out once")]
    [InlineData("parquet", "data", "data of lab/photos holds no pictures as files")]
    [InlineData("empty", null, "lab/photos holds no pictures (.jpg, ")]
    [InlineData("hidden", null, "lab/photos holds no pictures (.jpg, ")]
    public void Choose_NotOneFolderOfPictures_SaysWhatToDo(string layout, string? part, string expected)
    {
        var error = Assert.Throws<HubException>(() => DatasetSelection.Choose(Layout(layout), part, "lab/photos"));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.True(error.Message.Length < 900, error.Message);
    }

    private static string[] Layout(string name) => name switch
    {
        "alone" => [".gitattributes", "README.md", "a.jpeg", "b.PNG", "test/c.png"],
        "listed" => ["metadata.jsonl", "images/a.png", "images/deep/b.png", "validation/c.png"],
        "csv" => ["train/metadata.csv", "train/a.png", "train/b.png", "test/metadata.csv", "test/a.png", "x.png"],
        "captioned" => ["train/a.png", "train/a.txt", "train/notes.txt"],
        "split" => ["data/train/a.png", "data/test/b.png"],
        "subjects" => ["dataset/backpack/0.jpg", "dataset/backpack/1.jpg", "dataset/cat/0.jpg", "README.md"],
        "twice" => ["x/a/0.png", "y/a/0.png"],
        "parquet" => ["data/train-00000-of-00001.parquet", "README.md", "data/notes.txt"],
        "hidden" => [".assets/a.png", "x/.cache/b.png"],
        _ => ["README.md"],
    };
}
