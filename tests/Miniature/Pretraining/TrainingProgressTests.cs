using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Miniature.Pretraining;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Miniature.Pretraining;

public sealed class TrainingProgressTests : IDisposable
{
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _folder.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void Load_WhatWasSaved_GoesOnAsIfItHadNotStopped()
    {
        using var whole = new Run(width: 24);
        whole.Steps(0, 40);
        whole.Save(_folder.Path, new TrainingProgress(40, 1.5, 0.25));
        whole.Steps(40, 20);

        using var resumed = new Run(width: 24);
        Assert.Equal(new TrainingProgress(40, 1.5, 0.25), resumed.Load(_folder.Path));
        resumed.Steps(40, 20);
        using var afresh = new Run(width: 24);
        afresh.Weights.Values.copy_(whole.AtSave);
        afresh.Steps(40, 20);

        var moved = (whole.Weights.Values - whole.AtSave).norm().item<float>();
        var off = (resumed.Weights.Values - whole.Weights.Values).norm().item<float>();
        Assert.InRange(off, 0, 0.05f * moved);
        Assert.True((afresh.Weights.Values - whole.Weights.Values).norm().item<float>() > 4 * off,
            "weights alone go on as well as the state does");
        Assert.True((resumed.Weights.Averages - whole.Weights.Averages).norm().item<float>() < 0.05f * moved);
    }

    [Fact]
    public void Save_Parameter_TakesFiveBytes()
    {
        using var run = new Run(width: 300);
        run.Steps(0, 1);
        run.Save(_folder.Path, TrainingProgress.Begin);
        var bytes = Directory.GetFiles(_folder.Path).Sum(file => new FileInfo(file).Length);
        Assert.InRange(bytes / (double)run.Weights.Count, 5, 5.06);
    }

    [Fact]
    public void Load_OfAnotherModelOrMissing_SaysSo()
    {
        using var run = new Run(width: 24);
        Assert.Contains("part-state-1.safetensors is missing", Assert.Throws<LabException>(() =>
            run.Load(_folder.Path)).Message, StringComparison.Ordinal);
        run.Save(_folder.Path, TrainingProgress.Begin);
        using var other = new Run(width: 32);
        Assert.Contains("of another model", Assert.Throws<LabException>(() => other.Load(_folder.Path)).Message, StringComparison.Ordinal);
    }

    // A small regression whose batches depend on the step alone.
    private sealed class Run : IDisposable
    {
        private readonly FeedForward _model;
        private readonly FlatAdamW _optimizer;
        private readonly long _width;

        public Run(int width)
        {
            _width = width;
            _model = new FeedForward(width, CPU, ScalarType.Float32);
            WeightInitializer.Initialize(_model, 3);
            Weights = new FlatParameters([("ff", _model)], CPU, ScalarType.Float32);
            _optimizer = new FlatAdamW(Weights.Values, Weights.Gradients, [new ParameterGroup(0, Weights.Length, 2e-3)],
                new AdamWConfig { Beta2 = 0.99 });
            AtSave = Weights.Values.clone();
        }

        public FlatParameters Weights { get; }

        public Tensor AtSave { get; private set; }

        public void Steps(int first, int count)
        {
            for (var i = first; i < first + count; i++)
            {
                using var scope = NewDisposeScope();
                var input = SeededNoise.Normal([16, _width], (ulong)i);
                Weights.ZeroGradients();
                (_model.call(input) - input.roll(1, 1)).square().mean().backward();
                _optimizer.Step();
                Weights.Average(0.95);
            }
        }

        public void Save(string folder, TrainingProgress progress)
        {
            AtSave = Weights.Values.clone();
            progress.Save(folder, "part", Weights, _optimizer);
        }

        public TrainingProgress Load(string folder) => TrainingProgress.Load(folder, "part", Weights, _optimizer);

        public void Dispose()
        {
            _optimizer.Dispose();
            Weights.Dispose();
            _model.Dispose();
        }
    }
}
