using Dreambooth.Lab.Native;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// Several linear layers of one input, each with its LoRA updates. When updates are trained, the whole is one step of the backward pass: the layers' down
/// projections are one product in both directions, and what adds to the input's gradient is added by the product that computes it.
/// Letters: N rows, D width of the input, R rank.
/// </summary>
internal static class LoraProjection
{
    /// <summary>Computes the layers.</summary>
    /// <param name="input"><c>[..., D]</c>.</param>
    /// <param name="layers">The layers, all with an input of D.</param>
    /// <returns>An output <c>[..., out]</c> of each.</returns>
    public static Tensor[] Run(Tensor input, params LoraLinear[] layers)
    {
        using var scope = NewDisposeScope();
        // A bias takes part in the product of two-dimensional inputs only; elsewhere libtorch adds it in a pass of its own, which costs more than a copy.
        var rows = input.reshape(-1, input.shape[^1]);
        var updates = Array.ConvertAll(layers, layer => layer.Adapters.Where(update => update.Scale != 0).ToArray());
        var trained = is_grad_enabled() && Array.Exists(updates, list => Array.Exists(list, update => update.A.requires_grad));
        var outputs = trained && Array.TrueForAll(updates, list => list.Length == 1) && !Array.Exists(layers, layer => layer.Weight.requires_grad)
            ? Trained(input, rows, layers, Array.ConvertAll(updates, list => list[0]))
            : [.. layers.Select((layer, i) => Plain(rows, layer, updates[i]))];
        return [.. outputs.Select((output, i) => output.view([.. input.shape[..^1], layers[i].OutFeatures]).MoveToOuterDisposeScope())];
    }

    private static Tensor Plain(Tensor rows, LoraLinear layer, LoraWeights[] updates)
    {
        var output = nn.functional.linear(rows, layer.Weight, layer.Bias);
        foreach (var update in updates)
        {
            var (a, b) = update.In(rows.dtype);
            // The product adds to what it finds: no tensor of the output's size is written for the update alone.
            output.addmm_(nn.functional.linear(rows, a), b.t(), beta: 1, alpha: (float)update.Scale);
        }

        return output;
    }

    private static Tensor[] Trained(Tensor input, Tensor rows, LoraLinear[] layers, LoraWeights[] updates)
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
                outputs[i] = Plain(rows, layers[i], []).addmm_(hidden.narrow(1, at, matrices[i].A.shape[0]), matrices[i].B.t(), beta: 1, alpha: (float)updates[i].Scale);
            kept = new Kept(
                input.detach(),
                down,
                hidden,
                Array.ConvertAll(layers, layer => layer.Weight.detach()),
                Array.ConvertAll(matrices, pair => pair.B.detach()),
                [.. updates.Select((update, i) => Accumulator(update, matrices[i].A))],
                [.. updates.Select((update, i) => Accumulator(update, matrices[i].B))],
                Array.ConvertAll(updates, update => (float)update.Scale),
                input.requires_grad);
        }

        return GradientNode.Join(inputs, outputs, [.. kept.Tensors], kept.Backward);
    }

    // Where an adapter collects the gradients of its copy after every pass, the products add to them directly, as to zero.
    private static Tensor? Accumulator(LoraWeights update, Tensor matrix) => update.Copy is not null && matrix.is_leaf ? matrix.grad : null;

    /// <summary>What the backward pass reads.</summary>
    /// <param name="Input"><c>[..., D]</c>; as it is, for rows that are part of a larger tensor which attention keeps would be kept a second time.</param>
    /// <param name="Down">The layers' down projections, one above the other, <c>[sum of R, D]</c>.</param>
    /// <param name="Hidden">The rows through them, <c>[N, sum of R]</c>.</param>
    /// <param name="Weights">The layers' weights, <c>[out, D]</c>.</param>
    /// <param name="B">Up projections, <c>[out, R]</c>.</param>
    /// <param name="GradientsOfA">Where their gradients add up, or nulls.</param>
    /// <param name="GradientsOfB">Where their gradients add up, or nulls.</param>
    /// <param name="Scales">Factors of the updates.</param>
    /// <param name="InputIsTrained">Whether the input's gradient is asked for.</param>
    private sealed record Kept(
        Tensor Input, Tensor Down, Tensor Hidden, Tensor[] Weights, Tensor[] B, Tensor?[] GradientsOfA, Tensor?[] GradientsOfB, float[] Scales, bool InputIsTrained)
    {
        public IEnumerable<Tensor> Tensors => [Input, Down, Hidden, .. Weights, .. B, .. GradientsOfA.OfType<Tensor>(), .. GradientsOfB.OfType<Tensor>()];

        public Tensor?[] Backward(Tensor?[] gradients)
        {
            var ofHidden = zeros_like(Hidden);
            var results = new Tensor?[1 + (2 * Weights.Length)];
            Tensor? ofRows = null;
            var rows = Input.reshape(-1, Down.shape[1]);
            long at = 0;
            for (var i = 0; i < Weights.Length; i++)
            {
                var rank = B[i].shape[1];
                if (gradients[i] is { } gradient)
                {
                    gradient = gradient.contiguous();
                    ofHidden.narrow(1, at, rank).addmm_(gradient, B[i], beta: 0, alpha: Scales[i]);
                    results[2 + (2 * i)] = Add(GradientsOfB[i], gradient.t(), Hidden.narrow(1, at, rank), Scales[i]);
                    if (InputIsTrained)
                        ofRows = ofRows is null ? gradient.mm(Weights[i]) : ofRows.addmm_(gradient, Weights[i], beta: 1, alpha: 1);
                }

                at += rank;
            }

            if (InputIsTrained)
                results[0] = ofRows?.addmm_(ofHidden, Down, beta: 1, alpha: 1);
            AddDown(ofHidden, rows, results);
            return results;
        }

        private void AddDown(Tensor ofHidden, Tensor rows, Tensor?[] results)
        {
            if (B.Length == 1)
            {
                results[1] = Add(GradientsOfA[0], ofHidden.t(), rows, 1);
                return;
            }

            var ofDown = ofHidden.t().mm(rows);
            long at = 0;
            for (var i = 0; i < B.Length; at += B[i].shape[1], i++)
            {
                var part = ofDown.narrow(0, at, B[i].shape[1]);
                if (GradientsOfA[i] is { } sum)
                    sum.add_(part);
                else
                    results[1 + (2 * i)] = part.clone();
            }
        }

        // one · other · scale, added to the sum; or by itself where there is none.
        private static Tensor? Add(Tensor? sum, Tensor one, Tensor other, float scale)
        {
            if (sum is null)
                return one.mm(other).mul_(scale);
            sum.addmm_(one, other, beta: 1, alpha: scale);
            return null;
        }
    }
}
