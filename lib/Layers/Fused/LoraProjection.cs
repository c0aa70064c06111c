using Dreambooth.Lab.Native;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers.Fused;

/// <summary>
/// Several linear layers of one input whose LoRA updates are trained, as one step of the backward pass: the layers' down projections are
/// one product in both directions, and what adds to the input's gradient is added by the product that computes it. Equals
/// <see cref="LoraLinear.Plain"/> of each. Letters: N rows, D width of the input, R rank.
/// </summary>
internal static class LoraProjection
{
    /// <summary>Computes the layers.</summary>
    /// <param name="input"><c>[..., D]</c>.</param>
    /// <param name="layers">The layers, all with an input of D.</param>
    /// <returns>An output <c>[..., out]</c> of each; null where something else is trained, or nothing.</returns>
    public static Tensor[]? Trained(Tensor input, params LoraLinear[] layers)
    {
        if (!is_grad_enabled())
            return null;
        var updates = Array.ConvertAll(layers, layer => layer.Adapters.Where(update => update.Scale != 0).ToArray());
        if (!AreTrained(layers, updates))
            return null;
        using var scope = NewDisposeScope();
        var outputs = Run(input, input.reshape(-1, input.shape[^1]), layers, Array.ConvertAll(updates, list => (LoraWeights)list[0]));
        return [.. outputs.Select((output, i) => output.view([.. input.shape[..^1], layers[i].OutFeatures]).MoveToOuterDisposeScope())];
    }

    // One update each of matrices alone, and nothing of the layers' own: the step gives no other gradients.
    private static bool AreTrained(LoraLinear[] layers, LinearUpdate[][] updates) =>
        Array.TrueForAll(updates, list => list is [LoraWeights { IsPlain: true }])
        && Array.Exists(updates, list => list[0].IsTrained)
        && !Array.Exists(layers, layer => layer.Weight.requires_grad || layer.Bias is { requires_grad: true });

    private static Tensor[] Run(Tensor input, Tensor rows, LoraLinear[] layers, LoraWeights[] updates)
    {
        var matrices = Array.ConvertAll(updates, update => update.In(rows.dtype));
        Tensor[] inputs = [rows, .. matrices.SelectMany(pair => new[] { pair.A, pair.B })];
        Tensor[] outputs;
        Kept kept;
        using (no_grad())
        {
            var down = cat([.. matrices.Select(pair => pair.A)], dim: 0);
            var hidden = nn.functional.linear(rows, down);
            outputs = new Tensor[layers.Length];
            for (int i = 0, at = 0; i < layers.Length; at += (int)matrices[i].A.shape[0], i++)
            {
                outputs[i] = nn.functional.linear(rows, layers[i].Weight, layers[i].Bias)
                    .addmm_(hidden.narrow(1, at, matrices[i].A.shape[0]), matrices[i].B.t(), beta: 1, alpha: (float)updates[i].Scale);
            }

            kept = new Kept(
                input.detach(), down, hidden, [.. layers.Select((layer, i) => Branch.Of(layer, updates[i], matrices[i]))],
                input.requires_grad);
        }

        return GradientNode.Join(inputs, outputs, [.. kept.Tensors], kept.Backward);
    }

    /// <summary>What the backward pass reads of a layer.</summary>
    /// <param name="Weight">Its weight, <c>[out, D]</c>.</param>
    /// <param name="B">Its up projection, <c>[out, R]</c>.</param>
    /// <param name="GradientOfA">Where the gradient of its down projection adds up, or null.</param>
    /// <param name="GradientOfB">Where that of the up projection adds up, or null.</param>
    /// <param name="Scale">Factor of the update.</param>
    private sealed record Branch(Tensor Weight, Tensor B, Tensor? GradientOfA, Tensor? GradientOfB, float Scale)
    {
        public long Rank { get; } = B.shape[1];

        public IEnumerable<Tensor> Tensors => new[] { Weight, B, GradientOfA, GradientOfB }.OfType<Tensor>();

        public static Branch Of(LoraLinear layer, LoraWeights update, (Tensor A, Tensor B) matrices) => new(
            layer.Weight.detach(), matrices.B.detach(), Accumulator(update, matrices.A), Accumulator(update, matrices.B),
            (float)update.Scale);

        // Where an adapter collects the gradients of its copy after every pass, the products add to them directly, as to zero.
        private static Tensor? Accumulator(LoraWeights update, Tensor matrix) =>
            update.Copy is not null && matrix.is_leaf ? matrix.grad : null;
    }

    /// <summary>What the backward pass reads.</summary>
    /// <param name="Input">
    /// <c>[..., D]</c>; as it is, for rows that are part of a larger tensor which attention keeps would be kept a second time.
    /// </param>
    /// <param name="Down">The layers' down projections, one above the other, <c>[sum of R, D]</c>.</param>
    /// <param name="Hidden">The rows through them, <c>[N, sum of R]</c>.</param>
    /// <param name="Branches">The layers.</param>
    /// <param name="InputIsTrained">Whether the input's gradient is asked for.</param>
    private sealed record Kept(Tensor Input, Tensor Down, Tensor Hidden, Branch[] Branches, bool InputIsTrained)
    {
        public IEnumerable<Tensor> Tensors => [Input, Down, Hidden, .. Branches.SelectMany(branch => branch.Tensors)];

        // Of the input, then of each layer's A and B.
        public Tensor?[] Backward(Tensor?[] gradients)
        {
            var ofHidden = zeros_like(Hidden);
            var results = new Tensor?[1 + (2 * Branches.Length)];
            Tensor? ofRows = null;
            long at = 0;
            foreach (var (i, branch) in Branches.Index())
            {
                if (gradients[i] is { } gradient)
                {
                    gradient = gradient.contiguous();
                    ofHidden.narrow(1, at, branch.Rank).addmm_(gradient, branch.B, beta: 0, alpha: branch.Scale);
                    results[2 + (2 * i)] = Add(branch.GradientOfB, gradient.t(), Hidden.narrow(1, at, branch.Rank), branch.Scale);
                    if (InputIsTrained)
                        ofRows = ofRows is null ? gradient.mm(branch.Weight) : ofRows.addmm_(gradient, branch.Weight, beta: 1, alpha: 1);
                }

                at += branch.Rank;
            }

            results[0] = ofRows?.addmm_(ofHidden, Down, beta: 1, alpha: 1);
            AddDown(ofHidden, results);
            return results;
        }

        private void AddDown(Tensor ofHidden, Tensor?[] results)
        {
            var rows = Input.reshape(-1, Down.shape[1]);
            if (Branches is [var only])
            {
                results[1] = Add(only.GradientOfA, ofHidden.t(), rows, 1);
                return;
            }

            var ofDown = ofHidden.t().mm(rows);
            long at = 0;
            foreach (var (i, branch) in Branches.Index())
            {
                var part = ofDown.narrow(0, at, branch.Rank);
                if (branch.GradientOfA is { } sum)
                    sum.add_(part, KeptScalar.One);
                else
                    results[1 + (2 * i)] = part.clone();
                at += branch.Rank;
            }
        }

        // one · other · scale, added to the sum; or by itself where there is none.
        private static Tensor? Add(Tensor? sum, Tensor one, Tensor other, float scale)
        {
            if (sum is null)
                return one.mm(other).mul_(KeptScalar.Of(scale));
            sum.addmm_(one, other, beta: 1, alpha: scale);
            return null;
        }
    }
}
