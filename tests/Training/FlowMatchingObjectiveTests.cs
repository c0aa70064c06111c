using System.Text.RegularExpressions;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

[Trait("Category", "Parity")]
public sealed partial class FlowMatchingObjectiveTests
{
    public static TheoryData<GoldenCase> Losses => GoldenSet.KeyCases("training", @"^loss\.(?<case>\w+\.precondition\d\.prior\d)$");

    public static TheoryData<GoldenCase> Gradients =>
        GoldenSet.KeyCases("training", @"^(?<case>\w+\.precondition\d\.prior\d)\.total_norm$");

    [Theory]
    [MemberData(nameof(Losses))]
    public void Compute_EveryScheme_GivesTheReferenceLoss(GoldenCase golden)
    {
        golden.Require();
        using var run = new Run(golden, golden.Key!);
        GoldenAssert.Close(GoldenSet.Load("training", "losses.safetensors", $"loss.{golden.Key}"), run.Loss.Total.reshape(1), 1e-5);
        GoldenAssert.Close(GoldenSet.Load("training", "losses.safetensors", "noisy_model_input"), run.Noisy, 1e-6);
        using var json = System.Text.Json.JsonDocument.Parse(File.ReadAllBytes(GoldenSet.PathOf("training", "losses.json")));
        var prior = json.RootElement.GetProperty(golden.Key!).GetProperty("prior_loss");
        Assert.Equal(prior.ValueKind == System.Text.Json.JsonValueKind.Null, run.Loss.Prior is null);
        if (run.Loss.Prior is not null)
            Assert.Equal(prior.GetDouble(), run.Loss.Prior.item<float>(), 1e-5 * prior.GetDouble());
    }

    [Theory]
    [MemberData(nameof(Gradients))]
    public void Compute_Backward_GivesTheReferenceGradients(GoldenCase golden)
    {
        golden.Require();
        using var run = new Run(golden, golden.Key!);
        run.Loss.Total.backward();
        var expected = golden.LoadAll("grad.");
        Assert.Equal(expected.Count, 2 * run.Adapter.Layers.Count);
        GoldenAssert.Close(run.Adapter.Layers.SelectMany(layer => new[]
        {
            (expected[$"{layer.Key}.lora_A.weight"], layer.Weights.A.grad!),
            (expected[$"{layer.Key}.lora_B.weight"], layer.Weights.B.grad!),
        }), 1e-4);
        GoldenAssert.Close(golden.Load("total_norm"), run.Adapter.Gradients!.norm().reshape(1), 1e-4);
    }

    [GeneratedRegex(@"^(?<scheme>\w+)\.precondition(?<precondition>\d)\.prior(?<prior>\d)$")]
    private static partial Regex Name { get; }

    private sealed class Run : IDisposable
    {
        private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();

        public Run(GoldenCase golden, string name)
        {
            var match = Name.Match(name);
            var pipeline = golden.PipelineFolder;
            var transformer = SD3Transformer2DModel.Load(Path.Combine(pipeline, "transformer"), TestDevice.Device, ScalarType.Float32);
            Adapter = GoldenLora.Create(
                new GoldenTensors("training", "losses.safetensors"), "lora.", [new LoraComponent("transformer", transformer)]);
            var schedule = FlowMatchEulerDiscreteSchedulerConfig.Read(Path.Combine(pipeline, "scheduler", "scheduler_config.json"));
            var objective = new FlowMatchingObjective(transformer, schedule)
            {
                WeightingScheme = OptionText.Parse<WeightingScheme>("weighting_scheme", match.Groups["scheme"].Value),
                PreconditionOutputs = match.Groups["precondition"].Value == "1",
                PriorLossWeight = match.Groups["prior"].Value == "1" ? 0.05 : null,
            };
            Tensor Load(string file, string key) => GoldenSet.Load("training", file, key).Here();
            var text = new PromptEmbeddings(
                Load("prompt_embeds.safetensors", "prompt_embeds"), Load("prompt_embeds.safetensors", "pooled_prompt_embeds"));
            var batch = new TrainingBatch(Load("losses.safetensors", "model_input"), text);
            var draw = new TrainingDraw(Load("losses.safetensors", "noise"), Load("losses.safetensors", "indices"));
            Loss = objective.Compute(batch, draw);
            var (_, sigmas) = new FlowMatchEulerDiscreteScheduler(schedule).TrainTables(TestDevice.Device);
            Noisy = FlowMatchingObjective.Mix(batch.Latents, draw.Noise, sigmas.index_select(0, draw.Indices).view(-1, 1, 1, 1));
        }

        public LoraAdapter Adapter { get; }

        public FlowMatchingLoss Loss { get; }

        public Tensor Noisy { get; }

        public void Dispose()
        {
            Adapter.Dispose();
            _scope.Dispose();
        }
    }
}
