using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Native;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.Transformers;

/// <summary>
/// A forward and backward pass of the transformer that keeps only the inputs of its blocks and recomputes each block in the backward pass
/// (Chen et al. 2016, arXiv:1604.06174): memory of one block's activations for about a third more work. Gradients add up where those of a
/// plain pass do. Letters: B rows, C latent channels, H and W of the latents.
/// </summary>
/// <remarks>Call <c>backward</c> on what is made of <see cref="Output"/>, then <see cref="Backward"/>, once.</remarks>
public sealed class CheckpointedPass : IDisposable
{
    private readonly SD3Transformer2DModel _transformer;
    private readonly int _first;
    private readonly Stack<(Tensor Image, Tensor Text)> _inputs = [];
    private readonly (Tensor Image, Tensor Text, Tensor Conditioning) _embedded;
    private readonly Tensor _conditioning;
    private readonly Tensor _last;

    /// <summary>Computes the prediction.</summary>
    /// <param name="transformer">The model; its trained parameters are those of its layers' adapters.</param>
    /// <param name="latents">Noisy latents, <c>[B, C, H, W]</c>.</param>
    /// <param name="timestep">sigma × 1000, <c>[B]</c>, float32.</param>
    /// <param name="promptEmbeds">
    /// Text embeddings, <c>[B or 1, L, joint attention width]</c>; gradients flow to them where they ask for it.
    /// </param>
    /// <param name="pooledPromptEmbeds">Pooled text, <c>[B or 1, pooled width]</c>; likewise.</param>
    public CheckpointedPass(
        SD3Transformer2DModel transformer, Tensor latents, Tensor timestep, Tensor promptEmbeds, Tensor pooledPromptEmbeds)
    {
        ArgumentNullException.ThrowIfNull(transformer);
        ArgumentNullException.ThrowIfNull(latents);
        _transformer = transformer;
        using var scope = NewDisposeScope();
        _embedded = transformer.Embed(latents, timestep, promptEmbeds, pooledPromptEmbeds);
        var embeddedIsTrained = _embedded.Image.requires_grad || _embedded.Text.requires_grad || _embedded.Conditioning.requires_grad;
        var blocks = transformer.TransformerBlocks;
        _first = embeddedIsTrained ? 0 : Enumerable.Range(0, blocks.Count).FirstOrDefault(i => IsTrained(blocks[i]), blocks.Count);
        _conditioning = _embedded.Conditioning.detach();
        using (no_grad())
            _last = RunBlocks();
        _last.requires_grad_(_first < blocks.Count || embeddedIsTrained);
        _conditioning.requires_grad_(_embedded.Conditioning.requires_grad);
        Output = transformer.Project(_last, _conditioning, latents.shape[2], latents.shape[3]);
        MoveToOuterDisposeScope();
    }

    /// <summary>The prediction, <c>[B, C, H, W]</c>; its gradient ends at the last block.</summary>
    public Tensor Output { get; }

    /// <summary>Propagates the gradient that has reached the last block back through the blocks, the embeddings and their inputs.</summary>
    public void Backward()
    {
        using var scope = NewDisposeScope();
        Tensor? imageGradient = _last.grad, textGradient = null;
        for (var i = _transformer.TransformerBlocks.Count - 1; i >= _first; i--)
        {
            using var step = NewDisposeScope();
            var (image, text) = _inputs.Pop();
            image.requires_grad_(i > _first || _embedded.Image.requires_grad);
            text.requires_grad_(i > _first || _embedded.Text.requires_grad);
            var (nextImage, nextText) = _transformer.TransformerBlocks[i].call(image, text, _conditioning);
            Propagate([(nextImage, imageGradient), (nextText, textGradient)]);
            imageGradient?.Dispose();
            textGradient?.Dispose();
            imageGradient = image.grad?.MoveToOuterDisposeScope();
            textGradient = text.grad?.MoveToOuterDisposeScope();
            image.Dispose();
            text.Dispose();
        }

        Propagate([(_embedded.Image, imageGradient), (_embedded.Text, textGradient), (_embedded.Conditioning, _conditioning.grad)]);
    }

    /// <summary>Hands the tensors to the dispose scope around the current one.</summary>
    public void MoveToOuterDisposeScope()
    {
        foreach (var tensor in Tensors)
            tensor.MoveToOuterDisposeScope();
    }

    /// <summary>Frees what is kept.</summary>
    public void Dispose()
    {
        foreach (var tensor in Tensors)
            tensor.Dispose();
    }

    private IEnumerable<Tensor> Tensors =>
        [Output, _last, _conditioning, _embedded.Image, _embedded.Text, _embedded.Conditioning,
            .. _inputs.SelectMany(input => new[] { input.Image, input.Text })];

    private Tensor RunBlocks()
    {
        Tensor image = _embedded.Image.detach(), text = _embedded.Text.detach();
        for (var i = 0; i < _transformer.TransformerBlocks.Count; i++)
        {
            var (nextImage, nextText) = _transformer.TransformerBlocks[i].call(image, text, _conditioning);
            if (i >= _first)
            {
                _inputs.Push((image, text));
            }
            else
            {
                image.Dispose();
                text.Dispose();
            }

            (image, text) = (nextImage, nextText!);
        }

        return image;
    }

    private static void Propagate((Tensor? Value, Tensor? Gradient)[] roots)
    {
        var reached = roots.Where(root => root.Value is { requires_grad: true } && root.Gradient is not null).ToList();
        if (reached.Count > 0)
            GradientNode.Backward(
                () => autograd.backward([.. reached.Select(root => root.Value!)], [.. reached.Select(root => root.Gradient!)]));
    }

    private static bool IsTrained(nn.Module block) =>
        block.modules().OfType<AdaptedLayer>().Any(layer => layer.Adapters.Any(update => update.IsTrained));
}
