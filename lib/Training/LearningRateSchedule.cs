using System.Globalization;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <summary>
/// The learning rate by optimizer step: a factor that depends on the step alone, times each parameter group's own rate.
/// Source: diffusers 58eb52c, optimization.py (get_scheduler); every value equals the reference as a double.
/// </summary>
public sealed record LearningRateSchedule
{
    private const double PolynomialEnd = 1e-7;

    private readonly (int Before, double Factor)[] _rules = [];
    private readonly double _lastFactor = 1;
    private readonly string? _stepRules;

    /// <summary>The shape; default constant. <c>--lr_scheduler</c>.</summary>
    public LearningRateScheduleKind Kind { get; init; } = LearningRateScheduleKind.Constant;

    /// <summary>Optimizer steps over which the rate rises from 0; from 0, default 0. <c>--lr_warmup_steps</c>.</summary>
    public int WarmupSteps { get; init; }

    /// <summary>Optimizer steps of the whole run; needed by linear, both cosines and polynomial. <c>--max_train_steps</c>.</summary>
    public int TrainingSteps { get; init; }

    /// <summary>Number of waves of cosine_with_restarts; from 1, default 1. <c>--lr_num_cycles</c>.</summary>
    public int NumCycles { get; init; } = 1;

    /// <summary>Exponent of polynomial; above 0, default 1. <c>--lr_power</c>.</summary>
    public double Power { get; init; } = 1.0;

    /// <summary>
    /// The rate that polynomial takes for the starting one when it places its end at 1e-7; above 1e-7. The reference takes
    /// the optimizer's default, 1e-3, whatever rates its parameter groups have: the default here.
    /// </summary>
    public double PolynomialInitialRate { get; init; } = 1e-3;

    /// <summary>
    /// Factors of piecewise_constant, as <c>1:10,0.1:20,0.005</c>: 1 before step 10, 0.1 before step 20, then 0.005.
    /// </summary>
    /// <exception cref="LabException">The text is not of this form.</exception>
    public string? StepRules
    {
        get => _stepRules;
        init => (_stepRules, _rules, _lastFactor) = (value, ParseRules(value, out var last), last);
    }

    /// <summary>Whether the rate at a step depends on how many steps the run has.</summary>
    public bool DependsOnLength => Kind is LearningRateScheduleKind.Linear or LearningRateScheduleKind.Cosine
        or LearningRateScheduleKind.CosineWithRestarts or LearningRateScheduleKind.Polynomial;

    /// <summary>Checks the settings.</summary>
    /// <exception cref="LabException">Names every value that is wrong.</exception>
    public void Validate()
    {
        var errors = new List<string>();
        if (WarmupSteps < 0)
            errors.Add($"lr_warmup_steps is {WarmupSteps}; it must be at least 0");
        if (NumCycles < 1)
            errors.Add($"lr_num_cycles is {NumCycles}; it must be at least 1");
        if (!(Power > 0) || !double.IsFinite(Power))
            errors.Add($"lr_power is {Power}; it must be above 0");
        if (Kind == LearningRateScheduleKind.Polynomial && !(PolynomialInitialRate > PolynomialEnd))
            errors.Add($"the initial rate of polynomial is {PolynomialInitialRate}; it must be above {PolynomialEnd}");
        if (Kind == LearningRateScheduleKind.PiecewiseConstant && StepRules is null)
            errors.Add("piecewise_constant needs step rules, as 1:10,0.1:20,0.005");
        if (DependsOnLength && TrainingSteps < 1)
            errors.Add($"the number of training steps is {TrainingSteps}; this schedule needs it to be at least 1");
        if (errors.Count > 0)
            throw new LabException($"The learning-rate schedule is wrong: {string.Join("; ", errors)}.");
    }

    /// <summary>The factor at an optimizer step.</summary>
    /// <param name="step">The step, from 0; with a warm-up the first step has factor 0.</param>
    public double Factor(int step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        if (Kind == LearningRateScheduleKind.Constant)
            return 1;
        if (Kind == LearningRateScheduleKind.PiecewiseConstant)
            return FactorByRules(step);
        if (step < WarmupSteps)
            return (double)step / Math.Max(1, WarmupSteps);
        var progress = (double)(step - WarmupSteps) / Math.Max(1, TrainingSteps - WarmupSteps);
        return Kind switch
        {
            LearningRateScheduleKind.Linear =>
                Math.Max(0, (double)(TrainingSteps - step) / Math.Max(1, TrainingSteps - WarmupSteps)),
            LearningRateScheduleKind.Cosine => Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * 0.5 * 2 * progress))),
            LearningRateScheduleKind.CosineWithRestarts =>
                progress >= 1 ? 0 : Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * (NumCycles * progress % 1)))),
            LearningRateScheduleKind.Polynomial => PolynomialFactor(step),
            _ => 1,
        };
    }

    private static (int Before, double Factor)[] ParseRules(string? text, out double last)
    {
        last = 1;
        if (text is null)
            return [];
        var parts = text.Split(',');
        var rules = new SortedDictionary<int, double>();
        var valid = double.TryParse(parts[^1], NumberStyles.Float, CultureInfo.InvariantCulture, out last);
        foreach (var part in parts[..^1])
        {
            var pair = part.Split(':');
            valid &= pair.Length == 2;
            if (valid && double.TryParse(pair[0], NumberStyles.Float, CultureInfo.InvariantCulture, out var factor)
                && int.TryParse(pair[1], NumberStyles.Integer, CultureInfo.InvariantCulture, out var before))
                rules[before] = factor;
            else
                valid = false;
        }

        if (!valid)
        {
            throw new LabException(
                $"The step rules '{ShownText.Line(text)}' are not of the form 1:10,0.1:20,0.005 (factor:before step, ..., last factor).");
        }

        return [.. rules.Select(rule => (rule.Key, rule.Value))];
    }

    private double FactorByRules(int step)
    {
        foreach (var (before, factor) in _rules)
        {
            if (step < before)
                return factor;
        }

        return _lastFactor;
    }

    private double PolynomialFactor(int step)
    {
        if (step > TrainingSteps)
            return PolynomialEnd / PolynomialInitialRate;
        var length = TrainingSteps - WarmupSteps;
        var remaining = length > 0 ? 1 - ((double)(step - WarmupSteps) / length) : 1;
        return (((PolynomialInitialRate - PolynomialEnd) * Math.Pow(remaining, Power)) + PolynomialEnd) / PolynomialInitialRate;
    }
}
