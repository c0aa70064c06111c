using Dreambooth.Lab.Bench;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Bench;

public class OperationBenchmarkTests
{
    [Fact]
    public void Run_OnTheCpu_TimesEveryOperationThatThisDeviceHas()
    {
        var benchmark = new OperationBenchmark(CPU, ScalarType.Float32, heads: 2, repeats: 1);
        var figures = benchmark.Run([(2, 16, 5)]).Concat(benchmark.RunAutoencoder([(8, 4)])).ToList();
        Assert.Contains(figures, figure => figure.Operation == "group norm and SiLU, channels last, compiled");
        Assert.Contains(figures, figure => figure.Operation == "attention, as libtorch chooses, and backward");
        foreach (var figure in figures)
        {
            var ofCudaAlone = figure.Operation.StartsWith("attention, flash", StringComparison.Ordinal)
                || figure.Operation.StartsWith("attention, cuDNN", StringComparison.Ordinal);
            Assert.True(ofCudaAlone ? figure.Failure is not null : figure.Milliseconds > 0, $"{figure.Operation}: {figure.Failure}");
            Assert.True(
                figure.Failure is null || (figure.Failure.Contains("aten::", StringComparison.Ordinal) && figure.Failure.Length < 120),
                figure.Failure);
        }
    }
}
