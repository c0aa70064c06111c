using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>
/// A cache of T5's output in host memory: reading T5 again for a known text would cost gigabytes of traffic. No LoRA acts on T5, so the
/// entries stay valid. The oldest are dropped first.
/// </summary>
internal sealed class TextRows : IDisposable
{
    private const int Most = 64;

    private readonly Dictionary<(string Texts, int Length), Tensor> _rows = [];
    private readonly Queue<(string Texts, int Length)> _order = [];
    private int _most = Most;

    /// <summary>Whether a batch of texts is known.</summary>
    public bool Contains(IReadOnlyList<string> texts, int length) => _rows.ContainsKey(Key(texts, length));

    /// <summary>Makes room for so many batches beside each other.</summary>
    public void Expect(int batches) => _most = Math.Max(Most, batches);

    /// <summary>Keeps a batch's tokens.</summary>
    /// <param name="texts">The texts, B of them.</param>
    /// <param name="length">Number of tokens, L.</param>
    /// <param name="tokens"><c>[B, L, D]</c>; stays the caller's.</param>
    public void Add(IReadOnlyList<string> texts, int length, Tensor tokens)
    {
        while (_rows.Count >= _most && _rows.Remove(_order.Dequeue(), out var oldest))
            oldest.Dispose();
        var key = Key(texts, length);
        _rows.Add(key, tokens.to(CPU, copy: true).DetachFromDisposeScope());
        _order.Enqueue(key);
    }

    /// <summary>A batch's tokens, a copy on a device.</summary>
    public Tensor Copy(IReadOnlyList<string> texts, int length, Device device) => _rows[Key(texts, length)].to(device, copy: true);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tokens in _rows.Values)
            tokens.Dispose();
        _rows.Clear();
        _order.Clear();
    }

    private static (string Texts, int Length) Key(IReadOnlyList<string> texts, int length) => (string.Join('\0', texts), length);
}
