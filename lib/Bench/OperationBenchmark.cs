using System.Diagnostics;
using System.Runtime.InteropServices;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Layers.Fused;
using Dreambooth.Lab.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Bench;

/// <summary>
/// Times the operations that a transformer block of Stable Diffusion 3.5-medium is made of, each by itself, at the shapes of generation and
/// training, and alternatives beside the one that the models use. Letters: B rows, S tokens, D width.
/// </summary>
/// <param name="device">Where.</param>
/// <param name="dtype">Element type.</param>
/// <param name="heads">Attention heads; a head is 64 wide, so that D is 64 times as much. The model has 24.</param>
/// <param name="repeats">Timed rounds of each operation, 1 or more; the median counts.</param>
internal sealed class OperationBenchmark(Device device, ScalarType dtype, int heads = 24, int repeats = 20)
{
    private const int HeadWidth = 64;
    private const int CallsPerRound = 10;
    private const long WidestAttention = 128; // the side of the autoencoder's lowest resolution

    // Other ways than the models' own. Compiled when first called, so that one that this libtorch lacks fails alone.
    private static readonly Dictionary<string, string> Scripts = new()
    {
        ["rms_norm_chain"] = """
            def rms_norm_chain(x: Tensor, w: Tensor) -> Tensor:
                y = x.float()
                return (x * torch.rsqrt(y.square().mean([-1], True) + 1e-6)).to(x.dtype) * w

            """,
        ["rms_norm_by_norm"] = """
            def rms_norm_by_norm(x: Tensor, w: Tensor) -> Tensor:
                n = torch.linalg_vector_norm(x, 2, [-1], True, dtype=6)
                return (x * torch.rsqrt(n * n / x.size(-1) + 1e-6)).to(x.dtype) * w

            """,
        ["flash"] = """
            def flash(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
                return torch._scaled_dot_product_flash_attention(q, k, v)[0]

            """,
        ["cudnn"] = """
            def cudnn(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
                return torch._scaled_dot_product_cudnn_attention(q, k, v, None, False)[0]

            """,
        ["group_norm_silu"] = """
            def group_norm_silu(x: Tensor, w: Tensor, b: Tensor, groups: int) -> Tensor:
                y = x.permute(0, 2, 3, 1)
                z = y.reshape(y.size(0), -1, groups, y.size(3) // groups)
                mean = torch.mean(z, [1, 3], True, dtype=6)
                n = torch.linalg_vector_norm(z, 2, [1, 3], True, dtype=6)
                scale = torch.rsqrt(n * n / (z.size(1) * z.size(3)) - mean * mean + 1e-6) * w.view(1, 1, groups, -1)
                return torch.silu(z * scale + (b.view(1, 1, groups, -1) - mean * scale)).to(x.dtype).view(y.size()).permute(0, 3, 1, 2)

            """,
        ["modulated_norm"] = """
            def modulated_norm(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
                return torch.layer_norm(x, [x.size(-1)], None, None, 1e-6) * (1 + scale.unsqueeze(1)) + shift.unsqueeze(1)

            """,
    };

    /// <summary>Measures every operation at each shape.</summary>
    /// <param name="shapes">Rows and tokens of the image and of the text.</param>
    /// <param name="cancellation">Ends the run between two operations.</param>
    public IEnumerable<OperationFigure> Run(
        IEnumerable<(int Rows, int ImageTokens, int TextTokens)> shapes, CancellationToken cancellation = default)
    {
        cancellation = cancellation.OrAmbient();
        ArgumentNullException.ThrowIfNull(shapes);
        foreach (var (rows, imageTokens, textTokens) in shapes)
        {
            foreach (var (name, backward, prepare) in Operations(rows, imageTokens, textTokens))
            {
                foreach (var withGradients in backward ? new[] { false, true } : [false])
                {
                    cancellation.ThrowIfCancellationRequested();
                    yield return Measure(
                        name + (withGradients ? ", and backward" : string.Empty), $"{rows} × ({imageTokens} + {textTokens})", withGradients,
                        prepare);
                }
            }
        }
    }

    private IEnumerable<(string Name, bool Backward, Func<Work> Prepare)> Operations(long rows, long imageTokens, long textTokens)
    {
        long width = heads * HeadWidth, tokens = imageTokens + textTokens;
        Tensor Tokens(long count = 0) => Random(rows, count == 0 ? imageTokens : count, width);
        Tensor Heads() => Random(rows, tokens, heads, HeadWidth).transpose(1, 2);
        double product = 2.0 * rows * imageTokens * width * width;
        yield return ("product D → D", true,
            () => new([Tokens()], [Random(width, width), Random(width)], (x, w) => nn.functional.linear(x[0], w[0], w[1]), product));
        yield return ("product D → 3 D", true,
            () => new(
                [Tokens()], [Random(3 * width, width), Random(3 * width)], (x, w) => nn.functional.linear(x[0], w[0], w[1]), 3 * product));
        yield return ("product D → 4 D, then GELU", true,
            () => new(
                [Tokens()], [Random(4 * width, width), Random(4 * width)],
                (x, w) => nn.functional.gelu(nn.functional.linear(x[0], w[0], w[1]), TorchSharp.Modules.GELU.Approximate.tanh),
                4 * product));
        yield return ("product D → 4 D with GELU in it", false,
            () => new(
                [Tokens().view(-1, width)], [Random(4 * width, width), Random(4 * width)],
                (x, w) => CompiledFunctions.LinearGelu(x[0], w[0], w[1]), 4 * product));
        yield return ("product 4 D → D", true,
            () => new(
                [Random(rows, imageTokens, 4 * width)], [Random(width, 4 * width), Random(width)],
                (x, w) => nn.functional.linear(x[0], w[0], w[1]), 4 * product));
        yield return ("product of a part of the tokens, D → D", false,
            () => new(
                [Tokens(tokens)], [Random(width, width), Random(width)],
                (x, w) => nn.functional.linear(x[0].narrow(1, 0, imageTokens).reshape(-1, width), w[0], w[1]), product));
        double attention = 4.0 * rows * tokens * tokens * width;
        yield return ("attention, as libtorch chooses", true,
            () => new([Heads(), Heads(), Heads()], [], (x, _) => nn.functional.scaled_dot_product_attention(x[0], x[1], x[2]), attention));
        yield return ("attention, flash", true,
            () => new([Heads(), Heads(), Heads()], [], (x, _) => Script("flash", x[0], x[1], x[2]), attention));
        yield return ("attention, cuDNN", false,
            () => new([Heads(), Heads(), Heads()], [], (x, _) => Script("cudnn", x[0], x[1], x[2]), attention));
        Tensor PerHead() => Random(rows, imageTokens, heads, HeadWidth);
        yield return ("RMS norm of heads, by libtorch", true,
            () => new([PerHead()], [Random(HeadWidth)], (x, w) => CompiledFunctions.RmsNorm(x[0], w[0], 1e-6)));
        yield return ("RMS norm of heads, by a chain", true,
            () => new([PerHead()], [Random(HeadWidth)], (x, w) => Script("rms_norm_chain", x[0], w[0])));
        yield return ("RMS norm of heads, by the norm", true,
            () => new([PerHead()], [Random(HeadWidth)], (x, w) => Script("rms_norm_by_norm", x[0], w[0])));
        yield return ("layer norm", true, () => new([Tokens()], [], (x, _) => Pointwise.Normalize(x[0])));
        yield return ("layer norm and modulation, as the models", true,
            () => new([Tokens()], [Random(rows, width), Random(rows, width)], (x, w) => AdaptiveNorm.Modulate(x[0], (w[0], w[1]))[0]));
        yield return ("layer norm and modulation, by libtorch", true,
            () => new(
                [Tokens()], [Random(rows, width), Random(rows, width)],
                (x, w) => Pointwise.Modulate(Pointwise.Normalize(x[0]), w[0], w[1])));
        yield return ("layer norm and modulation, compiled", true,
            () => new([Tokens()], [Random(rows, width), Random(rows, width)], (x, w) => Script("modulated_norm", x[0], w[0], w[1])));
        yield return ("gated addition, as the models", true,
            () => new([Tokens(), Tokens()], [Random(rows, width)], (x, w) => AdaptiveNorm.GateAdd(x[0], w[0], x[1])));
        yield return ("image and text joined", false,
            () => new([PerHead(), Random(rows, textTokens, heads, HeadWidth)], [], (x, _) => cat([x[0], x[1]], dim: 1)));
        yield return ("copy", false, () => new([Tokens()], [], (x, _) => x[0].clone()));
    }

    /// <summary>
    /// Measures the pieces of the autoencoder's decoder by libtorch's operations in both memory layouts, and as the model computes them.
    /// </summary>
    /// <param name="places">Channels and side of the maps.</param>
    /// <param name="cancellation">Ends the run between two operations.</param>
    public IEnumerable<OperationFigure> RunAutoencoder(
        IEnumerable<(int Channels, int Side)> places, CancellationToken cancellation = default)
    {
        cancellation = cancellation.OrAmbient();
        ArgumentNullException.ThrowIfNull(places);
        foreach (var (channels, side) in places)
        {
            foreach (var (name, prepare) in AutoencoderOperations(channels, side))
            {
                cancellation.ThrowIfCancellationRequested();
                yield return Measure(name, $"{channels} × {side}²", backward: false, prepare);
            }
        }
    }

    private IEnumerable<(string Name, Func<Work> Prepare)> AutoencoderOperations(long channels, long side)
    {
        const int Groups = 32;
        long groups = Math.Min(Groups, channels);
        Tensor Map() => Random(1, channels, side, side);
        Tensor Kernel() => Random(channels, channels, 3, 3);
        double products = 2.0 * 9 * channels * channels * side * side;
        yield return ("convolution 3 × 3",
            () => new([Map()], [Kernel(), Random(channels)], (x, w) => nn.functional.conv2d(x[0], w[0], w[1], padding: [1, 1]), products));
        yield return ("convolution 3 × 3, channels last",
            () => new(
                [ChannelsLast.Of(Map())], [ChannelsLast.Of(Kernel()), Random(channels)],
                (x, w) => nn.functional.conv2d(x[0], w[0], w[1], padding: [1, 1]), products));
        yield return ("convolution 3 × 3, channels last, without bias",
            () => new(
                [ChannelsLast.Of(Map())], [ChannelsLast.Of(Kernel())], (x, w) => nn.functional.conv2d(x[0], w[0], padding: [1, 1]),
                products));
        yield return ("group norm and SiLU",
            () => new(
                [Map()], [Random(channels), Random(channels)],
                (x, w) => nn.functional.silu(nn.functional.group_norm(x[0], groups, w[0], w[1], 1e-6))));
        yield return ("group norm and SiLU, channels last",
            () => new(
                [ChannelsLast.Of(Map())], [Random(channels), Random(channels)],
                (x, w) => nn.functional.silu(nn.functional.group_norm(x[0], groups, w[0], w[1], 1e-6))));
        yield return ("group norm and SiLU, channels last, compiled",
            () => new(
                [ChannelsLast.Of(Map())], [Random(channels), Random(channels)],
                (x, w) => Script("group_norm_silu", x[0], w[0], w[1], groups)));
        yield return ("group norm and SiLU, as the models",
            () => new(
                [ChannelsLast.Of(Map())], [Random(channels), Random(channels)],
                (x, w) => FeatureMapKernels.For(x[0])?.Normalize(groups, w[0], w[1], 1e-6, null, activate: true, inPlace: false)
            ?? nn.functional.silu(nn.functional.group_norm(x[0], groups, w[0], w[1], 1e-6))));
        yield return ("residual and biases added, as the models",
            () => new(
                [ChannelsLast.Of(Map()), ChannelsLast.Of(Map())], [Random(channels), Random(channels)],
                (x, w) => FeatureMaps.Join(x[0], x[1], (w[0], w[1]))));
        yield return ("enlargement by 2",
            () => new([Map()], [], (x, _) => nn.functional.interpolate(x[0], scale_factor: [2, 2], mode: InterpolationMode.Nearest)));
        yield return ("enlargement by 2, channels last",
            () => new(
                [ChannelsLast.Of(Map())], [],
                (x, _) => nn.functional.interpolate(x[0], scale_factor: [2, 2], mode: InterpolationMode.Nearest)));
        yield return ("enlargement by 2, as the models", () => new([ChannelsLast.Of(Map())], [], (x, _) => FeatureMaps.Enlarge(x[0])));
        if (side > WidestAttention)
            yield break;
        Tensor Tokens() => Random(1, 1, side * side, channels);
        double attention = 4.0 * side * side * side * side * channels;
        yield return ("attention of one head, as libtorch chooses",
            () => new(
                [Tokens(), Tokens(), Tokens()], [], (x, _) => nn.functional.scaled_dot_product_attention(x[0], x[1], x[2]), attention));
        yield return ("attention of one head, by products",
            () => new(
                [Tokens(), Tokens(), Tokens()], [],
                (x, _) => matmul(softmax(matmul(x[0], x[1].transpose(2, 3)).mul_(1 / Math.Sqrt(channels)), -1), x[2]), attention));
    }

    private Tensor Random(params long[] shape) => randn(shape, dtype, device);

    private static readonly Dictionary<string, jit.CompilationUnit> Compiled = [];

    private static Tensor Script(string name, params object[] arguments)
    {
        if (!Compiled.TryGetValue(name, out var unit))
            Compiled[name] = unit = jit.compile(Scripts[name]);
        return (Tensor)unit.invoke(name, arguments);
    }

    private OperationFigure Measure(string name, string shape, bool backward, Func<Work> prepare)
    {
        using var scope = NewDisposeScope();
        using var gradients = set_grad_enabled(backward);
        try
        {
            var work = prepare();
            if (backward)
                work = work with { Inputs = [.. work.Inputs.Select(input => input.detach().requires_grad_(true))] };
            var rounds = new List<double>();
            for (var i = 0; i < repeats + 3; i++)
            {
                Wait();
                var start = Stopwatch.GetTimestamp();
                for (var call = 0; call < CallsPerRound; call++)
                    Once(work, backward);
                Wait();
                if (i >= 3)
                    rounds.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds / CallsPerRound);
            }

            rounds.Sort();
            var (time, moved) = (rounds[rounds.Count / 2], work.Inputs.Sum(input => input.numel() * input.element_size()));
            return new OperationFigure(name, shape, time, work.Operations / time / 1e9, moved / time / 1e6, null);
        }
        catch (Exception error) when (error is ExternalException or ArgumentException or LabException)
        {
            return new OperationFigure(name, shape, null, 0, 0, Reason(error.Message));
        }
    }

    // An interpreter's message begins with where it failed; the reason is in its last lines, and its first sentence is enough.
    private static string Reason(string message)
    {
        const string Mark = "RuntimeError: ";
        var at = message.LastIndexOf(Mark, StringComparison.Ordinal);
        return message[(at < 0 ? 0 : at + Mark.Length)..].Trim().Split(["\n", ". "], 2, StringSplitOptions.None)[0];
    }

    private static void Once(Work work, bool backward)
    {
        using var scope = NewDisposeScope();
        var result = work.Compute(work.Inputs, work.Constants);
        if (!backward)
            return;
        GradientNode.Backward(() => autograd.backward([result], [result.detach()]));
        foreach (var input in work.Inputs)
        {
            input.grad?.Dispose();
            input.grad = null;
        }
    }

    private void Wait()
    {
        if (device.type == DeviceType.CUDA)
            cuda.synchronize(device);
    }

    private sealed record Work(Tensor[] Inputs, Tensor[] Constants, Func<Tensor[], Tensor[], Tensor> Compute, double Operations = 0);
}
