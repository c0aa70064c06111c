using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Schedulers;

/// <summary>The settings of a file of the second golden set's <c>samplers</c> folder, from its manifest.</summary>
internal static class GoldenSampler
{
    /// <summary>The cases with a sampler's settings.</summary>
    public static TheoryData<GoldenCase> Cases => GoldenSet.Cases("samplers", IsSampler);

    /// <summary>Whether the file has a sampler's settings.</summary>
    public static bool IsSampler(GoldenFile file) => file.Meta is { } meta && meta.TryGetProperty("class", out _);

    /// <summary>The model's schedule and the sampler, as the reference was configured.</summary>
    public static (FlowMatchEulerDiscreteSchedulerConfig Model, SamplerConfig Sampler) Read(GoldenCase golden)
    {
        var meta = golden.Entry.Meta!.Value;
        var config = meta.GetProperty("config");
        var known = new HashSet<string>(StringComparer.Ordinal) { "prediction_type", "use_flow_sigmas" };
        double? Number(string name) => known.Add(name) && config.TryGetProperty(name, out var value) ? value.GetDouble() : null;
        bool? Truth(string name) => known.Add(name) && config.TryGetProperty(name, out var value) ? value.GetBoolean() : null;
        string? Text(string name) => known.Add(name) && config.TryGetProperty(name, out var value) ? value.GetString() : null;

        var (order, addsNoise) = ((int)(Number("solver_order") ?? 0), Text("algorithm_type") == "sde-dpmsolver++");
        var solver = Text("solver_type");
        var kind = meta.GetProperty("class").GetString() switch
        {
            "FlowMatchHeunDiscreteScheduler" => SamplerKind.Heun,
            "FlowMatchLCMScheduler" => SamplerKind.Lcm,
            "DPMSolverMultistepScheduler" when order == 2 => addsNoise ? SamplerKind.DpmPlusPlus2MSde : SamplerKind.DpmPlusPlus2M,
            "DPMSolverMultistepScheduler" => addsNoise ? SamplerKind.DpmPlusPlus3MSde : SamplerKind.DpmPlusPlus3M,
            "UniPCMultistepScheduler" => order == 2 ? SamplerKind.UniPC : SamplerKind.UniPC3,
            _ => Truth("stochastic_sampling") == true ? SamplerKind.EulerStochastic : SamplerKind.Euler,
        };
        known.Add("disable_corrector");
        var schedule = Truth("use_dynamic_shifting") == true ? SigmaSchedule.Dynamic
            : Truth("use_karras_sigmas") == true ? SigmaSchedule.Karras
            : Truth("use_exponential_sigmas") == true ? SigmaSchedule.Exponential
            : Truth("use_beta_sigmas") == true ? SigmaSchedule.Beta : SigmaSchedule.Model;
        var shift = Number("shift") ?? Number("flow_shift") ?? 1;
        var sampler = new SamplerConfig
        {
            Kind = kind,
            Sigmas = schedule,
            TruncateTimesteps = true,
            Mu = meta.GetProperty("set_timesteps").TryGetProperty("mu", out var mu) ? mu.GetDouble() : null,
            ShiftsByMu = Text("time_shift_type") == "linear",
            ShiftTerminal = Number("shift_terminal"),
            Multistep = new MultistepOptions
            {
                LowerOrderFinal = Truth("lower_order_final") ?? true,
                EulerAtFinal = Truth("euler_at_final") ?? false,
                SolvesHeun = solver == "heun",
                UsesBh1 = solver == "bh1",
                DisabledCorrections = config.TryGetProperty("disable_corrector", out var steps)
                    ? [.. steps.EnumerateArray().Select(step => step.GetInt32())] : [],
                UsesDiffusionLevels = Text("final_sigmas_type") == "sigma_min" || schedule == SigmaSchedule.Karras,
            },
        };
        known.UnionWith(["flow_shift", "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "stochastic_sampling"]);
        Assert.Empty(config.EnumerateObject().Select(property => property.Name).Except(known));
        return (new FlowMatchEulerDiscreteSchedulerConfig { NumTrainTimesteps = 1000, Shift = shift }, sampler);
    }
}
