using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Evaluation;

public sealed class DreamBenchDatasetTests : IDisposable
{
    private const string Published = """
        Classes

        subject_name,class
        tin_can,can
        tabby,cat
        bear_plushie,stuffed animal

        Prompts

        Object Prompts

        prompt_list = [
        'a {0} {1} on a shelf'.format(unique_token, class_token),
        "a {0} {1}'s lid".format(unique_token, class_token)
        ]

        Live Subject Prompts

        prompt_list = [
        'a {0} {1} asleep'.format(unique_token, class_token)
        ]
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("lab-dreambench-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Read_PublishedLayout_GivesClassesAndTheListOfEach()
    {
        Write(Published);
        var subjects = DreamBenchDataset.Read(_folder);
        Assert.Equal(
            [("tin_can", "can"), ("tabby", "cat"), ("bear_plushie", "stuffed animal")],
            subjects.Select(subject => (subject.Name, subject.ClassName)));
        Assert.Equal(["a sks can on a shelf", "a sks can's lid"], subjects[0].Prompts("sks"));
        Assert.Equal(["a sks cat asleep"], subjects[1].Prompts("sks"));
        Assert.Equal(2, subjects[2].Templates.Count);
        Assert.Equal(Path.Combine(_folder, "dataset", "tabby"), subjects[1].Photos);
        var inside = DreamBenchDataset.Read(Path.Combine(_folder, "dataset"));
        Assert.Equal(subjects.Select(subject => subject.Photos), inside.Select(subject => subject.Photos));
    }

    [Theory]
    [InlineData("cat", false, "a {0} {1} asleep")]
    [InlineData("Dog", false, "a {0} {1} asleep")]
    [InlineData("hamster", true, "a {0} {1} asleep")]
    [InlineData("can", false, "a {0} {1} on a shelf", "a {0} {1}'s lid")]
    public void TemplatesFor_AClass_AreOfItsKindAndNeedNoPhotos(string kind, bool live, params string[] expected)
    {
        Write(Published);
        foreach (var subject in Directory.GetDirectories(Path.Combine(_folder, "dataset")))
            Directory.Delete(subject, recursive: true);
        Assert.Equal(expected, DreamBenchDataset.TemplatesFor(_folder, kind, live));
    }

    [Fact]
    public void Read_BlankLineAndCapitals_KeepEverySubjectAndItsList()
    {
        Write(Published);
        File.WriteAllText(
            Path.Combine(_folder, "dataset", DreamBenchDataset.ListName),
            Published.Replace("tabby,cat", "\ntabby,Cat", StringComparison.Ordinal));
        var subjects = DreamBenchDataset.Read(_folder);
        Assert.Equal(["tin_can", "tabby", "bear_plushie"], subjects.Select(subject => subject.Name));
        Assert.Single(subjects[1].Templates);
    }

    [Theory]
    [InlineData("tabby,cat", "tabby;cat", "'tabby;cat' is no subject")]
    [InlineData("tabby,cat", "..,cat", "'..,cat' is no subject")]
    [InlineData("tabby,cat", ".,cat", "'.,cat' is no subject")]
    [InlineData("tabby,cat", "tin_can,can", "names the subject 'tin_can' twice")]
    [InlineData("tabby,cat", "sphinx,cat", "names subjects without a folder")]
    [InlineData("subject_name,class", "name,class", "has no subject")]
    [InlineData("{1} asleep", "asleep", "needs {0} for the unique token and {1} for the class")]
    [InlineData("'a {0} {1} asleep'.format(unique_token, class_token)", "", "2 prompts for objects and 0 for live subjects")]
    public void Read_WhatDoesNotFit_IsNamed(string from, string to, string expected)
    {
        Write(Published);
        File.WriteAllText(
            Path.Combine(_folder, "dataset", DreamBenchDataset.ListName), Published.Replace(from, to, StringComparison.Ordinal));
        Assert.Contains(
            expected, Assert.Throws<LabException>(() => DreamBenchDataset.Read(_folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NoList_SaysWhatIsMissing() => Assert.Contains(
        "has no prompts_and_classes.txt", Assert.Throws<LabException>(() => DreamBenchDataset.Read(_folder)).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Chosen_ShardsAndNames_DivideTheSubjects()
    {
        Write(Published);
        var all = DreamBenchDataset.Read(_folder);
        var config = new DreamBenchConfig { Dataset = _folder };
        IEnumerable<string> Names(DreamBenchConfig some) => some.Chosen(all).Select(subject => subject.Name);
        Assert.Equal(["tin_can", "bear_plushie"], Names(config with { Shard = "0/2" }));
        Assert.Equal(["tabby"], Names(config with { Shard = "1/2" }));
        Assert.Equal(["tabby"], Names(config with { Subjects = "tabby" }));
        Assert.All((config with { MaxPrompts = 1 }).Chosen(all), subject => Assert.Single(subject.Templates));
        Assert.Contains(
            "has no subject 'tabbi'",
            Assert.Throws<LabException>(() => (config with { Subjects = "tabbi" }).Chosen(all)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("4/4")]
    [InlineData("-1/4")]
    [InlineData("1")]
    public void Validate_ShardThatIsNone_IsRefused(string shard) => Assert.Contains(
        $"shard is '{shard}'",
        Assert.Throws<LabException>(new DreamBenchConfig { Dataset = "d", Shard = shard }.Validate).Message, StringComparison.Ordinal);

    [Fact]
    public void Validate_AutoShardOutsideAnArray_SaysHowToStartOne() => Assert.Contains(
        "shard is auto, but this is no task of a Slurm array",
        Assert.Throws<LabException>(new DreamBenchConfig { Dataset = "d", Shard = "auto" }.Validate).Message, StringComparison.Ordinal);

    private void Write(string text)
    {
        foreach (var name in new[] { "tin_can", "tabby", "bear_plushie" })
            Directory.CreateDirectory(Path.Combine(_folder, "dataset", name));
        File.WriteAllText(Path.Combine(_folder, "dataset", DreamBenchDataset.ListName), text);
    }
}
