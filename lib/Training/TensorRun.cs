using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// Tensors of one shape that lie in a flat buffer at equal distances, as the A of all layers of a model do: one view holds them all.
/// </summary>
/// <param name="Group">The index of their group.</param>
/// <param name="Offset">First element of the first.</param>
/// <param name="Distance">From one's first element to the next one's.</param>
/// <param name="Count">How many there are.</param>
/// <param name="Shape">Their shape.</param>
internal sealed record TensorRun(int Group, long Offset, long Distance, long Count, IReadOnlyList<long> Shape)
{
    /// <summary>Elements of one tensor.</summary>
    public long Size => ParameterGroup.Count(Shape);

    /// <summary>The runs that the tensors of groups form, as few as a walk in order finds.</summary>
    /// <param name="groups">The groups, with the shapes of their tensors.</param>
    public static IReadOnlyList<TensorRun> Of(IReadOnlyList<ParameterGroup> groups)
    {
        var runs = new List<TensorRun>();
        for (var index = 0; index < groups.Count; index++)
        {
            foreach (var alike in groups[index].Tensors.GroupBy(tensor => string.Join('x', tensor.Shape)))
            {
                TensorRun? run = null;
                foreach (var (offset, shape) in alike)
                {
                    var last = run is null ? 0 : run.Offset + ((run.Count - 1) * run.Distance);
                    if (run is not null && (run.Count == 1 || offset - last == run.Distance))
                    {
                        run = run with { Distance = offset - last, Count = run.Count + 1 };
                        continue;
                    }

                    if (run is not null)
                        runs.Add(run);
                    run = new TensorRun(index, offset, 0, 1, shape);
                }

                runs.Add(run!);
            }
        }

        return runs;
    }

    /// <summary>The tensors in a flat buffer.</summary>
    /// <param name="flat">The buffer, [N], contiguous.</param>
    /// <returns>A view, <c>[count, …, rows, columns]</c>, or <c>[count, length]</c> of tensors of rank 1 or 0.</returns>
    public Tensor In(Tensor flat)
    {
        long[] shape = Shape.Count == 0 ? [1] : [.. Shape];
        var strides = new long[shape.Length];
        long stride = 1;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride *= shape[i];
        }

        return flat.narrow(0, Offset, ((Count - 1) * Distance) + Size).as_strided(
            [Count, .. shape], [Math.Max(Distance, 1), .. strides], flat.storage_offset() + Offset);
    }
}
