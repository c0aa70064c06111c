using System.Runtime.InteropServices;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Native;

public sealed class GradientNodeTests
{
    [Fact]
    public void Join_TwoOutputs_GradientsAreThoseOfTheFunction()
    {
        using var scope = NewDisposeScope();
        var (x, y) = (randn(3, 4).requires_grad_(true), randn(3, 4).requires_grad_(true));
        var (sum, product) = SumAndProduct(x.mul(2), y.exp());
        (sum.mul(3) + product.square()).sum().backward();
        var (gradientX, gradientY) = (x.grad!.clone(), y.grad!.clone());

        x.grad.zero_();
        y.grad.zero_();
        var (a, b) = (x.mul(2), y.exp());
        ((a + b).mul(3) + (a * b).square()).sum().backward();

        Assert.True(allclose(x.grad, gradientX, 1e-6));
        Assert.True(allclose(y.grad, gradientY, 1e-6));
    }

    [Fact]
    public void Join_AnOutputThatNobodyUses_HasNoGradient()
    {
        using var scope = NewDisposeScope();
        var x = randn(5).requires_grad_(true);
        Tensor?[]? seen = null;
        Tensor[] outputs;
        using (no_grad())
            outputs = [x * 2, x * 3];
        outputs = GradientNode.Join([x], outputs, [], gradients =>
        {
            seen = [.. gradients];
            return [gradients[1]! * 3];
        });

        outputs[1].sum().backward();

        Assert.Null(seen![0]);
        Assert.Equal(3, x.grad!.mean().item<float>());
    }

    [Fact]
    public void Join_AfterTheBackwardPass_NothingIsKept()
    {
        using var scope = NewDisposeScope();
        var x = randn(5).requires_grad_(true);
        var kept = x.detach();
        using var output = Doubled(x, kept);

        output.sum().backward();

        Assert.True(kept.IsInvalid);
    }

    [Fact]
    public void Join_WithoutABackwardPass_NothingIsKeptOnceTheOutputIsGone()
    {
        using var scope = NewDisposeScope();
        var x = randn(5).requires_grad_(true);
        var kept = x.detach();

        Doubled(x, kept).Dispose();

        Assert.True(kept.IsInvalid);
    }

    [Fact]
    public void Backward_AFunctionThatFails_ThrowsItsError()
    {
        using var scope = NewDisposeScope();
        var x = randn(5).requires_grad_(true);
        Tensor[] outputs;
        using (no_grad())
            outputs = [x * 2];
        var output = GradientNode.Join([x], outputs, [], _ => throw new InvalidDataException("out of order"))[0];

        var error = Assert.Throws<InvalidDataException>(() => GradientNode.Backward(() => output.sum().backward()));

        Assert.Equal("out of order", error.Message);
        Assert.Throws<ExternalException>(() => GradientNode.Backward(() => x.detach().sum().backward()));
    }

    [Fact]
    public void Backward_AfterAPassThatFailedElsewhere_ThrowsItsOwnError()
    {
        using var scope = NewDisposeScope();
        var x = randn(5).requires_grad_(true);
        Tensor[] outputs;
        using (no_grad())
            outputs = [x * 2];
        var output = GradientNode.Join([x], outputs, [], _ => throw new InvalidDataException("of another pass"))[0];
        Assert.Throws<ExternalException>(() => output.sum().backward());

        Assert.Throws<ExternalException>(() => GradientNode.Backward(() => x.detach().sum().backward()));
    }

    [Fact]
    public void Backward_AGraphThatWasWalked_IsRefusedInPlainWords()
    {
        using var scope = NewDisposeScope();
        var x = randn(5).requires_grad_(true);
        var sum = Doubled(x, x.detach()).sum();
        GradientNode.Backward(() => sum.backward());

        var error = Assert.Throws<LabException>(() => GradientNode.Backward(() => sum.backward()));

        Assert.Contains("walked twice", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Join_AnOutputThatIsGone_KeepsNothing()
    {
        using var scope = NewDisposeScope();
        var x = randn(5).requires_grad_(true);
        var (kept, gone) = (x.detach(), zeros(5));
        gone.Dispose();

        Assert.ThrowsAny<InvalidOperationException>(() => GradientNode.Join([x], [gone], [kept], gradients => gradients));

        Assert.True(kept.IsInvalid);
    }

    [Fact]
    public void Backward_InSeveralThreads_EachHasItsOwnGradients()
    {
        var sums = new float[4];
        var threads = Enumerable.Range(0, sums.Length).Select(number => new Thread(() =>
        {
            for (var pass = 0; pass < 20; pass++)
            {
                using var scope = NewDisposeScope();
                var x = full(3, number + 1.0).requires_grad_(true);
                var (sum, product) = SumAndProduct(Doubled(x, x.detach()), x.mul(1));
                GradientNode.Backward(() => (sum + product).sum().backward());
                // Of 3 x + 2 x².
                sums[number] = x.grad!.max().item<float>();
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        GradientNode.FreeReturned();

        Assert.Equal([7, 11, 15, 19], sums);
    }

    [Fact]
    public void Join_BackwardPassInAnotherThread_GivesTheGradients()
    {
        using var scope = NewDisposeScope();
        var x = ones(3).requires_grad_(true);
        var kept = x.detach();
        var sum = Doubled(x, kept).sum();

        var thread = new Thread(() => GradientNode.Backward(() => sum.backward()));
        thread.Start();
        thread.Join();

        Assert.Equal((2, true), (x.grad!.mean().item<float>(), kept.IsInvalid));
    }

    [Fact]
    public void Join_ManySteps_GradientsPassThroughAll()
    {
        using var scope = NewDisposeScope();
        var x = ones(2).requires_grad_(true);
        var y = x.mul(1);
        for (var i = 0; i < 200; i++)
            y = Doubled(y.mul(0.5), y.detach());

        y.sum().backward();

        Assert.Equal(1, x.grad!.mean().item<float>(), 1e-6);
    }

    private static Tensor Doubled(Tensor x, Tensor kept)
    {
        Tensor[] outputs;
        using (no_grad())
            outputs = [x * 2];
        return GradientNode.Join([x], outputs, [kept], gradients => [gradients[0]! * 2])[0];
    }

    private static (Tensor Sum, Tensor Product) SumAndProduct(Tensor a, Tensor b)
    {
        Tensor[] outputs;
        using (no_grad())
            outputs = [a + b, a * b];
        var (keptA, keptB) = (a.detach(), b.detach());
        outputs = GradientNode.Join([a, b], outputs, [keptA, keptB], gradients =>
            [gradients[0]! + (gradients[1]! * keptB), gradients[0]! + (gradients[1]! * keptA)]);
        return (outputs[0], outputs[1]);
    }
}
