using System.Globalization;
using System.Text.Json;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Training;

public sealed class LearningRateScheduleTests
{
    public static TheoryData<GoldenCase> Tables => GoldenSet.Cases("lr_schedulers");

    [Theory]
    [MemberData(nameof(Tables))]
    [Trait("Category", "Parity")]
    public void Factor_GoldenTable_IsEqualAsDoubles(GoldenCase golden)
    {
        golden.Require();
        using var table = golden.ReadJson();
        var groupRates = table.RootElement.GetProperty("group_lr").EnumerateArray().Select(rate => rate.GetDouble()).ToArray();
        foreach (var row in table.RootElement.GetProperty("rows").EnumerateObject())
        {
            var schedule = Parse(row.Name, table.RootElement, groupRates[0]);
            schedule.Validate();
            var expected = row.Value.EnumerateArray().Select(rates => rates.EnumerateArray().Select(rate => rate.GetDouble()).ToArray())
                .ToArray();
            var actual = Enumerable.Range(0, expected.Length)
                .Select(step => groupRates.Select(rate => rate * schedule.Factor(step)).ToArray()).ToArray();
            for (var step = 0; step < expected.Length; step++)
                Assert.True(
                    expected[step].AsSpan().SequenceEqual(actual[step]),
                    $"{row.Name}, step {step}: {actual[step][0]:r} for {expected[step][0]:r}");
        }
    }

    [Fact]
    public void Factor_PiecewiseConstant_FollowsTheRulesInOrderOfSteps()
    {
        var schedule = new LearningRateSchedule { Kind = LearningRateScheduleKind.PiecewiseConstant, StepRules = "0.1:20,1:10,0.005" };
        schedule.Validate();
        Assert.Equal([1, 1, 0.1, 0.1, 0.005, 0.005], new[] { 0, 9, 10, 19, 20, 1000 }.Select(schedule.Factor));
    }

    [Fact]
    public void Factor_PolynomialWithItsOwnRate_EndsAtTheEndRate()
    {
        var schedule = new LearningRateSchedule
        {
            Kind = LearningRateScheduleKind.Polynomial,
            WarmupSteps = 2,
            TrainingSteps = 10,
            PolynomialInitialRate = 5e-4,
        };
        Assert.Equal(1e-7, 5e-4 * schedule.Factor(11), 1e-20);
        Assert.Equal(5e-4, 5e-4 * schedule.Factor(2), 1e-20);
    }

    [Theory]
    [InlineData("1:10,0.1:x,0.005")]
    [InlineData("1:10:2,0.005")]
    [InlineData("1:10,")]
    [InlineData("")]
    public void StepRules_OfAnotherForm_SaysTheForm(string rules) =>
        Assert.Contains("1:10,0.1:20,0.005", Assert.Throws<LabException>(() => new LearningRateSchedule { StepRules = rules }).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Validate_SeveralWrongValues_NamesThemAll()
    {
        var schedule = new LearningRateSchedule { Kind = LearningRateScheduleKind.Cosine, WarmupSteps = -1, NumCycles = 0, Power = 0 };
        var message = Assert.Throws<LabException>(schedule.Validate).Message;
        foreach (var part in new[] { "lr_warmup_steps is -1", "lr_num_cycles is 0", "lr_power is 0", "training steps is 0" })
            Assert.Contains(part, message, StringComparison.Ordinal);
    }

    /// <summary>A row's name is the schedule, then its arguments, then which default rate the optimizer was given.</summary>
    private static LearningRateSchedule Parse(string name, JsonElement table, double givenDefault)
    {
        var end = name.LastIndexOf('.');
        var parts = name[..end].Split('.', 2);
        var schedule = new LearningRateSchedule
        {
            Kind = OptionText.Parse<LearningRateScheduleKind>("lr_scheduler", parts[0]),
            WarmupSteps = table.GetProperty("num_warmup_steps").GetInt32(),
            TrainingSteps = table.GetProperty("num_training_steps").GetInt32(),
        };
        if (name[end..] == ".default_lr_given")
            schedule = schedule with { PolynomialInitialRate = givenDefault };
        else
            Assert.Equal(".script", name[end..]);
        if (parts.Length == 1)
            return schedule;
        var digits = parts[1].AsSpan().IndexOfAnyInRange('0', '9');
        var value = double.Parse(parts[1].AsSpan(digits), CultureInfo.InvariantCulture);
        return parts[1][..digits] switch
        {
            "num_cycles" => schedule with { NumCycles = (int)value },
            "power" => schedule with { Power = value },
            _ => throw new InvalidOperationException($"The row {name} has an argument that this test does not know."),
        };
    }
}
