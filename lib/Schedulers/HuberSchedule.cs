namespace Dreambooth.Lab.Schedulers;

/// <summary>How the threshold c of huber and smooth_l1 depends on the noise level: <c>--huber_schedule</c>.</summary>
public enum HuberSchedule
{
    /// <summary>Not at all: <c>constant</c>.</summary>
    Constant,

    /// <summary>It falls from 1 without noise to <c>huber_c</c> in pure noise, as <c>huber_c^σ</c>: <c>exponential</c>.</summary>
    Exponential,
}
