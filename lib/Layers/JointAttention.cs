using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// Attention of the image stream, alone or jointly with the text stream (Esser et al. 2024, arXiv:2403.03206): both
/// streams have projections of their own and attend to the image's and the text's tokens together, image first.
/// Letters: B rows, S image tokens, L text tokens, D width = heads × head width.
/// </summary>
public sealed class JointAttention : nn.Module<Tensor, Tensor?, (Tensor Image, Tensor? Text)>
{
    private const double Epsilon = 1e-6;
    private readonly long _heads;

    [ComponentName(Name = "to_out")]
    private readonly ModuleDict<LoraLinear> _toOut;

    /// <summary>Declares the layers.</summary>
    /// <param name="heads">Number of attention heads.</param>
    /// <param name="headWidth">Width of one head.</param>
    /// <param name="withText">Whether the text stream takes part.</param>
    /// <param name="contextPreOnly">Whether the text's output is unused (the last block): then it has no output projection.</param>
    /// <param name="qkNorm">Whether queries and keys are RMS-normalised per head.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public JointAttention(long heads, long headWidth, bool withText, bool contextPreOnly, bool qkNorm, Device device, ScalarType dtype)
        : base(nameof(JointAttention))
    {
        _heads = heads;
        var width = heads * headWidth;
        LoraLinear Projection() => new(width, width, true, device, dtype);
        RMSNorm? HeadNorm(bool present) => qkNorm && present ? new RMSNorm(headWidth, Epsilon, device, dtype) : null;

        ToQ = Projection();
        ToK = Projection();
        ToV = Projection();
        _toOut = nn.ModuleDict(("0", Projection()));
        NormQ = HeadNorm(true);
        NormK = HeadNorm(true);
        AddQProj = withText ? Projection() : null;
        AddKProj = withText ? Projection() : null;
        AddVProj = withText ? Projection() : null;
        ToAddOut = withText && !contextPreOnly ? Projection() : null;
        NormAddedQ = HeadNorm(withText);
        NormAddedK = HeadNorm(withText);
        RegisterComponents();
    }

    /// <summary>Queries of the image.</summary>
    [field: ComponentName(Name = "to_q")]
    public LoraLinear ToQ { get; }

    /// <summary>Keys of the image.</summary>
    [field: ComponentName(Name = "to_k")]
    public LoraLinear ToK { get; }

    /// <summary>Values of the image.</summary>
    [field: ComponentName(Name = "to_v")]
    public LoraLinear ToV { get; }

    /// <summary>Output projection of the image, published as <c>to_out.0</c>.</summary>
    public LoraLinear ToOut => _toOut["0"];

    /// <summary>Queries of the text, or null.</summary>
    [field: ComponentName(Name = "add_q_proj")]
    public LoraLinear? AddQProj { get; }

    /// <summary>Keys of the text, or null.</summary>
    [field: ComponentName(Name = "add_k_proj")]
    public LoraLinear? AddKProj { get; }

    /// <summary>Values of the text, or null.</summary>
    [field: ComponentName(Name = "add_v_proj")]
    public LoraLinear? AddVProj { get; }

    /// <summary>Output projection of the text, or null.</summary>
    [field: ComponentName(Name = "to_add_out")]
    public LoraLinear? ToAddOut { get; }

    /// <summary>Norm of the image's queries, or null.</summary>
    [field: ComponentName(Name = "norm_q")]
    public RMSNorm? NormQ { get; }

    /// <summary>Norm of the image's keys, or null.</summary>
    [field: ComponentName(Name = "norm_k")]
    public RMSNorm? NormK { get; }

    /// <summary>Norm of the text's queries, or null.</summary>
    [field: ComponentName(Name = "norm_added_q")]
    public RMSNorm? NormAddedQ { get; }

    /// <summary>Norm of the text's keys, or null.</summary>
    [field: ComponentName(Name = "norm_added_k")]
    public RMSNorm? NormAddedK { get; }

    /// <summary>Whether image tokens see themselves and the text alone (perturbed-attention guidance); default false.</summary>
    internal bool IsPerturbed { get; set; }

    /// <summary>
    /// When set, receives the queries and keys of each forward, <c>[B, heads, S + L, head width]</c>, image tokens first, and S. They are
    /// valid during the call only.
    /// </summary>
    internal Action<Tensor, Tensor, long>? HeadsObserver { get; set; }

    /// <summary>Attends.</summary>
    /// <param name="image">Image tokens, <c>[B, S, D]</c>.</param>
    /// <param name="text">Text tokens, <c>[B, L, D]</c>, or null for attention of the image alone.</param>
    /// <returns>The image's tokens, <c>[B, S, D]</c>, and the text's, <c>[B, L, D]</c>, or null.</returns>
    public override (Tensor Image, Tensor? Text) forward(Tensor image, Tensor? text)
    {
        using var scope = NewDisposeScope();
        Tensor[]? textProjections = text is null ? null : LoraLinear.Run(text, AddQProj!, AddKProj!, AddVProj!);
        var joint = JointHeads.Join(
            _heads, LoraLinear.Run(image, ToQ, ToK, ToV), [NormQ, NormK], textProjections, [NormAddedQ, NormAddedK]);
        // Token by token in memory, as the attention's output will be: its heads then join again without a copy.
        var (query, key, value) = (joint[0].transpose(1, 2), joint[1].transpose(1, 2), joint[2].transpose(1, 2));
        HeadsObserver?.Invoke(query, key, image.shape[1]);
        var mask = IsPerturbed && text is not null ? OwnAndText(image.shape[1], text.shape[1], query) : null;
        var attended = nn.functional.scaled_dot_product_attention(query, key, value, mask).transpose(1, 2).flatten(2);
        if (text is null)
            return (ToOut.call(attended).MoveToOuterDisposeScope(), null);
        // Split, not narrowed twice: the backward pass then joins the gradients instead of adding two that are mostly zero.
        var parts = attended.split([image.shape[1], text.shape[1]], dim: 1);
        var textOutput = ToAddOut?.call(parts[1]) ?? parts[1];
        return (ToOut.call(parts[0]).MoveToOuterDisposeScope(), textOutput.MoveToOuterDisposeScope());
    }

    // Added to the scores, [S + L, S + L]: of S image tokens each sees itself and the L text tokens, which see all.
    private static Tensor OwnAndText(long image, long text, Tensor query)
    {
        using var scope = NewDisposeScope();
        var own = eye(image, dtype: query.dtype, device: query.device).log();
        var upper = cat([own, zeros([image, text], query.dtype, query.device)], dim: 1);
        return cat([upper, zeros([text, image + text], query.dtype, query.device)], dim: 0).MoveToOuterDisposeScope();
    }
}
