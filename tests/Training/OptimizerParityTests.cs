using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>
/// Trajectories of the sources' optimizers, from the second golden set: steps on tensors with given gradients. Tolerances are the set's:
/// 1e-6 relative, for Prodigy's estimate, a quotient of sums, 1e-4.
/// </summary>
[Trait("Category", "Parity")]
public sealed class OptimizerParityTests
{
    private const double Tolerance = 1e-6;
    private const double EstimateTolerance = 1e-4;

    private static readonly string[] Others = ["adamw_amsgrad", "adafactor_torch", "came", "adamw8bit_emulation", "problem"];

    public static TheoryData<GoldenCase> Trajectories => GoldenSet.Cases("optimizers", file => !Others.Contains(NameOf(file.Name)));

    public static TheoryData<GoldenCase> EightBits => GoldenSet.Cases("optimizers", file => NameOf(file.Name) == "adamw8bit_emulation");

    [Theory]
    [MemberData(nameof(Trajectories))]
    public void Step_GoldenTrajectory_TakesTheSourcesPath(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        var problem = new GoldenTensors("optimizers", "problem.safetensors");
        var names = problem.Keys.Where(key => key.StartsWith("init.", StringComparison.Ordinal)).Select(key => key["init.".Length..])
            .ToList();
        var name = NameOf(golden.File);
        var parameters = cat([.. names.Select(tensor => problem[$"init.{tensor}"].flatten())]);
        var gradients = zeros_like(parameters);
        using var optimizer = Create(name, parameters, gradients, Groups(name, problem, names));
        var given = names.Select(tensor => problem[$"grad.{tensor}"]).ToList();
        var wanted = names.Select(tensor => golden.Load($"after.{tensor}")).ToList();
        var isProdigy = name.StartsWith("prodigy", StringComparison.Ordinal);
        for (var step = 0; step < given[0].shape[0]; step++)
        {
            gradients.copy_(cat([.. given.Select(all => all[step].flatten())]));
            optimizer.Step(Factor(name, step));
            GoldenAssert.Close(
                cat([.. wanted.Select(all => all[step].flatten())]), parameters, Tolerance, $"step {step}");
        }

        if (isProdigy)
        {
            var estimate = golden.Entry.Meta!.Value.GetProperty("scalars").GetProperty("d").EnumerateArray().Last().GetDouble();
            Assert.Equal(1, optimizer.StateDict()["d"].item<double>() / estimate, EstimateTolerance);
        }

        if (optimizer.HasEvaluationWeights)
            GoldenAssert.Close(
                cat([.. names.Select(tensor => golden.Load($"eval.{tensor}").flatten())]), optimizer.EvaluationWeights(), Tolerance,
                "average");
    }

    [Theory]
    [MemberData(nameof(EightBits))]
    public void Step_GoldenCodesOf8Bits_AreTheSourcesButForAFew(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        var (parameters, given) = (golden.Load("init").flatten(), golden.Load("grads"));
        var gradients = zeros_like(parameters);
        using var optimizer = new FlatAdamW8Bit(parameters, gradients, [new(0, parameters.numel(), 1e-2, 0.01)]);
        for (var step = 0; step < given.shape[0]; step++)
        {
            gradients.copy_(given[step].flatten());
            optimizer.Step();
            if (golden.Has($"wd0.01.after_step{step + 1}.p"))
                GoldenAssert.Close(golden.Load($"wd0.01.after_step{step + 1}.p").flatten(), parameters, 1e-5, $"step {step}");
        }

        var last = $"wd0.01.after_step{given.shape[0]}";
        var state = optimizer.StateDict();
        foreach (var (codes, largest, kept) in new[] { ("state1", "absmax1", "exp_avg"), ("state2", "absmax2", "exp_avg_sq") })
        {
            var off = (golden.Load($"{last}.{codes}").flatten() - state[kept].to(ScalarType.Int64)).abs();
            Assert.InRange(off.max().item<long>(), 0, 1);
            Assert.InRange(off.sum().item<long>(), 0, off.numel() * 3 / 1000);
            GoldenAssert.Close(golden.Load($"{last}.{largest}"), state[largest], Tolerance, largest);
        }
    }

    [Theory]
    [MemberData(nameof(EightBits))]
    public void Encode_GoldenNumbers_GivesTheSourcesCodes(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        var numbers = golden.Load("quantise.x");
        foreach (var (signed, values, prefix) in new[] { (true, numbers, "quantise"), (false, numbers * numbers, "quantise.unsigned") })
        {
            GoldenAssert.Exact(golden.Load(signed ? "code.signed" : "code.unsigned"), tensor(BlockCodes.Table(signed)), "table");
            using var table = new BlockCodes(signed, CPU);
            var whole = values.numel() / BlockCodes.BlockSize;
            foreach (var (blocks, first, size) in new[]
            {
                (whole, 0L, (long)BlockCodes.BlockSize),
                (1, whole * BlockCodes.BlockSize, values.numel() - (whole * BlockCodes.BlockSize)),
            })
            {
                Tensor Part(string name) => golden.Load($"{prefix}.{name}").narrow(0, first, blocks * size).view(blocks, size);
                var (codes, largest) = (zeros([blocks, size], ScalarType.Byte), zeros([blocks]));
                table.Encode(values.narrow(0, first, blocks * size).view(blocks, size), codes, largest);
                GoldenAssert.Exact(Part("codes"), codes.to(ScalarType.Int64), "codes");
                GoldenAssert.Close(Part("dequantised"), table.Decode(codes, largest), Tolerance, "numbers");
            }
        }
    }

    private static string NameOf(string file) => Path.GetFileNameWithoutExtension(file);

    private static double Factor(string name, int step) => name switch
    {
        "adamw_lr_schedule" or "lion_wd_schedule" or "lion_decoupled_wd" => (step + 1) / 12.0,
        "prodigy_warmup" or "prodigy_warmup_safeguard" => Math.Min(1, (step + 1) / 6.0),
        "adamw_schedulefree_warmup_wd" => Math.Min(1, (step + 1) / 4.0),
        _ => 1,
    };

    private static IReadOnlyList<ParameterGroup> Groups(string name, GoldenTensors problem, List<string> names)
    {
        var (rate, decay) = RateAndDecay(name);
        var groups = new List<ParameterGroup>();
        long offset = 0;
        foreach (var tensor in names)
        {
            using var value = problem[$"init.{tensor}"];
            var isDecayed = name != "prodigy_two_groups" || tensor.StartsWith("lora", StringComparison.Ordinal);
            groups.Add(new(offset, value.numel(), rate, isDecayed ? decay : 0) { Shapes = [value.shape] });
            offset += value.numel();
        }

        return groups;
    }

    private static (double Rate, double Decay) RateAndDecay(string name) => name switch
    {
        "lion" => (1e-3, 0),
        "lion_wd" or "lion_wd_schedule" => (1e-3, 0.1),
        "lion_decoupled_wd" => (1e-3, 1e-4 / 1e-3),
        "prodigy_recommended" or "prodigy_recommended_b" or "prodigy_coupled" or "prodigy_two_groups" => (1, 0.01),
        _ when name.StartsWith("prodigy", StringComparison.Ordinal) => (1, 0),
        "adamw_schedulefree_warmup_wd" => (1e-2, 0.05),
        _ when name.StartsWith("adamw_schedulefree", StringComparison.Ordinal) => (1e-2, 0),
        "adafactor_hf_fixed_wd_beta1" => (1e-2, 0.01),
        _ when name.StartsWith("adafactor", StringComparison.Ordinal) => (1e-2, 0),
        _ => (1e-2, 1e-2),
    };

    private static FlatOptimizer Create(string name, Tensor parameters, Tensor gradients, IReadOnlyList<ParameterGroup> groups)
    {
        FlatProdigy Prodigy(ProdigyConfig config) => new(parameters, gradients, groups, config);
        FlatScheduleFree ScheduleFree(ScheduleFreeConfig config) => new(parameters, gradients, groups, config);
        FlatAdafactor Adafactor(AdafactorConfig config) => new(parameters, gradients, groups, config);
        var plain = new ProdigyConfig { D0 = 1e-4, UseBiasCorrection = false, SafeguardWarmup = false };
        return name switch
        {
            "adamw" or "adamw_fused" or "adamw_lr_schedule" => new FlatAdamW(parameters, gradients, groups),
            "lion_wd" => new FlatLion(parameters, gradients, groups, new() { Beta1 = 0.95, Beta2 = 0.98 }),
            "lion" or "lion_wd_schedule" or "lion_decoupled_wd" => new FlatLion(parameters, gradients, groups),
            "prodigy" or "prodigy_warmup" or "prodigy_two_groups" => Prodigy(plain),
            "prodigy_defaults" => Prodigy(plain with { D0 = 1e-6 }),
            "prodigy_recommended" or "prodigy_warmup_safeguard" => Prodigy(new() { D0 = 1e-4 }),
            "prodigy_recommended_b" => Prodigy(new() { D0 = 1e-4, DCoef = 3, Beta2 = 0.99 }),
            "prodigy_coupled" => Prodigy(plain with { Decouple = false }),
            "prodigy_dcoef_growth" => Prodigy(plain with { DCoef = 2, GrowthRate = 1.2, Beta2 = 0.99, Beta3 = 0.9 }),
            "prodigy_slice3" => Prodigy(plain with { SliceP = 3 }),
            "adamw_schedulefree" => ScheduleFree(new()),
            "adamw_schedulefree_warmup_wd" => ScheduleFree(new() { Beta1 = 0.95, Beta2 = 0.99, AveragePower = 0.5 }),
            "adamw_schedulefree_inner_momentum" => ScheduleFree(new() { InnerMomentum = 0.9 }),
            "adafactor_hf_relative" => Adafactor(new() { RelativeStep = true, ScaleParameter = true }),
            "adafactor_hf_warmup_init" => Adafactor(new() { RelativeStep = true, ScaleParameter = true, WarmupInit = true }),
            "adafactor_hf_fixed" => Adafactor(new()),
            "adafactor_hf_fixed_wd_beta1" => Adafactor(new() { ScaleParameter = true, Beta1 = 0.9 }),
            _ => throw new ArgumentException($"no optimizer for the golden file {name}", nameof(name)),
        };
    }
}
