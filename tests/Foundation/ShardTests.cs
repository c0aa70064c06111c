using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Foundation;

public sealed class ShardTests
{
    [Theory]
    [InlineData("0/1", 0, 1)]
    [InlineData("3/4", 3, 4)]
    public void Parse_PartOfParts_IsRead(string text, int index, int count) =>
        Assert.Equal(new Shard(index, count), Shard.Parse(text, Variables()));

    [Theory]
    [InlineData("4/4")]
    [InlineData("-1/4")]
    [InlineData("1")]
    [InlineData("1/2/3")]
    [InlineData("+1/2")]
    [InlineData("1/99999999999")]
    [InlineData("")]
    [InlineData("Auto")]
    public void Parse_OtherText_IsRefused(string text) => Assert.Contains(
        $"shard is '{text}'; valid is PART/PARTS", Assert.Throws<LabException>(() => Shard.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Parse_Nothing_IsEverything() => Assert.Null(Shard.Parse(null, Variables()));

    [Theory]
    [InlineData("0", "0", "3", "4", null, 0, 4)]
    [InlineData("12", "10", "13", "4", "1", 2, 4)]
    [InlineData("6", "2", "8", "4", "2", 2, 4)]
    [InlineData("7", "7", "7", "1", "1", 0, 1)]
    public void Parse_AutoInASlurmArray_GivesThePart(
        string task, string first, string last, string count, string? step, int index, int parts) =>
        Assert.Equal(new Shard(index, parts), Shard.Parse("auto", Array(task, first, last, count, step)));

    [Theory]
    [InlineData("2", "0", "2", "2", "1", "have gaps: task 2 is one of 2 from 0 to 2, step 1")]
    [InlineData("3", "0", "8", "5", "2", "have gaps")]
    [InlineData("9", "0", "8", "9", "1", "have gaps")]
    [InlineData("x", "0", "3", "4", "1", "SLURM_ARRAY_TASK_ID is 'x'")]
    [InlineData("1", "0", null, "4", "1", "SLURM_ARRAY_TASK_MAX is ''")]
    public void Parse_AutoInAnArrayThatCannotBeCounted_SaysWhatToGive(
        string task, string first, string? last, string count, string? step, string expected)
    {
        var message = Assert.Throws<LabException>(() => Shard.Parse("auto", Array(task, first, last, count, step))).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Contains("PART/PARTS", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("LAB_SHARD_COUNT")]
    [InlineData("JOB_COMPLETIONS")]
    public void Parse_AutoInAnIndexedJob_NeedsTheNumberOfPods(string name)
    {
        Assert.Equal(new Shard(2, 3), Shard.Parse("auto", Variables(("JOB_COMPLETION_INDEX", "2"), (name, "3"))));
        Assert.Contains(
            "set LAB_SHARD_COUNT to its completions",
            Assert.Throws<LabException>(() => Shard.Parse("auto", Variables(("JOB_COMPLETION_INDEX", "2")))).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "is '3' of '3' parts",
            Assert.Throws<LabException>(() => Shard.Parse("auto", Variables(("JOB_COMPLETION_INDEX", "3"), (name, "3")))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_AutoWithRanks_CountsThem()
    {
        (string, string?)[] ranks = [("RANK", "1"), ("WORLD_SIZE", "2"), ("LOCAL_RANK", "1"), ("MASTER_ADDR", "localhost"),
            ("MASTER_PORT", "29500")];
        Assert.Equal(new Shard(1, 2), Shard.Parse("auto", Variables(ranks)));
        Assert.Equal(new Shard(1, 2), Shard.Parse("auto", Variables([.. ranks, ("JOB_COMPLETION_INDEX", "0")])));
        var array = Array("1", "0", "2", "3", null);
        var both = Variables(ranks);
        Assert.Equal(new Shard(3, 6), Shard.Parse("auto", name => both(name) ?? array(name)));
    }

    [Fact]
    public void Parse_AutoElsewhere_SaysHowToStart() => Assert.Contains(
        "shard is auto, but this is no task of a Slurm array",
        Assert.Throws<LabException>(() => Shard.Parse("auto", Variables())).Message, StringComparison.Ordinal);

    [Fact]
    public void Has_AllParts_DivideEveryPosition() => Assert.All(
        Enumerable.Range(0, 10), position => Assert.Single(Enumerable.Range(0, 3), index => new Shard(index, 3).Has(position)));

    [Fact]
    public void Groups_OfDifferentSizes_AreDividedEvenlyAndWithoutRest()
    {
        // Nine pictures of each of three prompts, at most eight at a time.
        int[][] groups = [.. Enumerable.Range(0, 3).SelectMany(prompt => Enumerable.Range(9 * prompt, 9).Chunk(8))];
        var parts = Enumerable.Range(0, 2).Select(index => Shard.Groups(groups, new Shard(index, 2))).ToList();
        Assert.Equal([16, 11], parts.Select(part => part.Sum(group => group.Length)));
        Assert.Equal(groups.OrderBy(group => group[0]), parts.SelectMany(part => part).OrderBy(group => group[0]));
        Assert.All(parts, part => Assert.Equal(part.OrderBy(group => group[0]), part));
        Assert.Equal(groups, Shard.Groups(groups, null));
        Assert.Empty(Shard.Groups(groups, new Shard(8, 9)));
    }

    private static Func<string, string?> Array(string? task, string? first, string? last, string? count, string? step) => Variables(
        ("SLURM_ARRAY_TASK_ID", task), ("SLURM_ARRAY_TASK_MIN", first), ("SLURM_ARRAY_TASK_MAX", last),
        ("SLURM_ARRAY_TASK_COUNT", count), ("SLURM_ARRAY_TASK_STEP", step));

    private static Func<string, string?> Variables(params (string Name, string? Value)[] set) =>
        set.ToDictionary(entry => entry.Name, entry => entry.Value).GetValueOrDefault;
}
