using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Data;

public sealed class SubjectsFileTests : IDisposable
{
    private static readonly TrainingSubject Defaults = new()
    {
        InstanceDataDir = string.Empty,
        InstancePrompt = string.Empty,
        Repeats = 3,
        ClassPrompt = "a photo of a cat",
        ClassDataDir = "class",
        NumClassImages = 7,
    };

    private readonly PictureSamples _folder = new();

    public void Dispose() => _folder.Dispose();

    private IReadOnlyList<TrainingSubject> Read(string json) => SubjectsFile.Read(_folder.AddText("subjects.json", json), Defaults);

    [Fact]
    public void Read_KeysThatAreLeftOut_AreTheFlags()
    {
        var subjects = Read("""
            [
              {"instance_data_dir": "cat", "instance_prompt": "a photo of gmc cat"},
              // Comments and trailing commas are fine.
              {
                "instance_data_dir": "dog", "instance_prompt": "a photo of tzk dog", "class_prompt": "a photo of a dog",
                "class_data_dir": "dogs", "num_class_images": 9, "repeats": 2, "loss_weight": 0.5, "caption_column": "words",
              },
            ]
            """);
        Assert.Equal(Defaults with { InstanceDataDir = "cat", InstancePrompt = "a photo of gmc cat" }, subjects[0]);
        Assert.Equal(
            new TrainingSubject
            {
                InstanceDataDir = "dog",
                InstancePrompt = "a photo of tzk dog",
                ClassPrompt = "a photo of a dog",
                ClassDataDir = "dogs",
                NumClassImages = 9,
                Repeats = 2,
                LossWeight = 0.5,
                CaptionColumn = "words",
            },
            subjects[1]);
    }

    [Theory]
    [InlineData("{}", "is no list of subjects")]
    [InlineData("[]", "is no list of subjects")]
    [InlineData("[3]", "subject 1 is no JSON object")]
    [InlineData(
        """[{"instance_data_dir": "a", "instance_prompt": "b"}, {"instance_prompt": "b"}]""", "subject 2: instance_data_dir is missing")]
    [InlineData("""[{"instance_data_dir": "a", "instance_promt": "b"}]""", "'instance_promt' is no option; nearest are instance_prompt")]
    [InlineData("""[{"instance_data_dir": "a", "instance_prompt": "b", "loss_weight": 0}]""", "loss_weight is 0; valid is more than 0")]
    [InlineData("""[{"instance_data_dir": "a", "instance_prompt": "b", "repeats": "2"}]""", "repeats is '\"2\"'")]
    [InlineData(
        """[{"instance_data_dir": "a", "instance_prompt": "b"}, {"instance_data_dir": "./a", "instance_prompt": "c"}]""",
        "the subjects 1 and 2 have the same instance_data_dir")]
    [InlineData("[", "subjects.json")]
    public void Read_WrongFile_SaysWhichSubjectAndWhatWouldBeRight(string json, string message)
    {
        var error = Assert.Throws<LabException>(() => Read(json));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains("subjects.json", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_MissingFile_NamesIt()
    {
        var error = Assert.Throws<LabException>(() => SubjectsFile.Read(_folder.PathOf("none.json"), Defaults));
        Assert.Contains("none.json", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sets_SameFolder_IsSharedAndOfOnePrompt()
    {
        var cat = Defaults with { InstanceDataDir = "a" };
        var (sets, setOf) = ClassSet.Of([cat, cat with { ClassDataDir = "dogs", ClassPrompt = "a dog" }, cat with { NumClassImages = 9 }]);
        Assert.Equal([new ClassSet("a photo of a cat", "class", 9), new ClassSet("a dog", "dogs", 7)], sets);
        Assert.Equal([0, 1, 0], setOf);
        var error = Assert.Throws<LabException>(() => ClassSet.Of([cat, cat with { ClassPrompt = "a dog" }]));
        Assert.Contains("class is that of two class prompts", error.Message, StringComparison.Ordinal);
    }
}
