namespace Dreambooth.Lab.Tokenizers;

/// <summary>
/// Segments a word into the pieces of highest total score (Kudo 2018, arXiv:1804.10959). Sums are taken in float64 in the
/// order of Hugging Face tokenizers 0.23.2 (<c>models/unigram/model.rs</c>): words of one repeated character have many
/// segmentations whose scores differ only by rounding, and SentencePieceTokenizer of Microsoft.ML.Tokenizers 2.0.1, which
/// sums in float32, picks another one there.
/// </summary>
internal sealed class UnigramModel
{
    private const double UnknownPenalty = 10;
    private readonly Dictionary<long, int> _children = [];
    private readonly List<int> _pieceAt = [-1];
    private readonly double[] _scores;
    private readonly double _unknownScore;
    private readonly int _unknownId;

    /// <summary>Builds the search.</summary>
    /// <param name="pieces">The vocabulary; a piece's place is its id.</param>
    /// <param name="unknownId">Id for characters without a piece.</param>
    public UnigramModel(IReadOnlyList<SentencePiece> pieces, int unknownId)
    {
        _scores = [.. pieces.Select(p => (double)p.Score)];
        _unknownScore = _scores.Min() - UnknownPenalty;
        _unknownId = unknownId;
        for (var id = 0; id < pieces.Count; id++)
            Add(pieces[id].Text, id);
    }

    /// <summary>Segments a word.</summary>
    /// <param name="word">A word without lone surrogates.</param>
    /// <param name="ids">Receives the ids; a run of unknown characters gives one.</param>
    public void Encode(string word, List<int> ids)
    {
        var best = new (double Score, int Start, int Id)[word.Length + 1];
        Array.Fill(best, (0, -1, 0));
        for (var start = 0; start < word.Length;)
        {
            var single = char.IsHighSurrogate(word[start]) && start + 1 < word.Length ? 2 : 1;
            var hasSingle = false;
            var node = 0;
            for (var end = start; end < word.Length && _children.TryGetValue(Edge(node, word[end]), out node); end++)
            {
                if (_pieceAt[node] is var id and >= 0)
                {
                    Offer(start, end + 1, best[start].Score + _scores[id], id);
                    hasSingle |= end + 1 - start == single;
                }
            }

            if (!hasSingle)
                Offer(start, start + single, best[start].Score + _unknownScore, _unknownId);
            start += single;
        }

        Collect();

        void Offer(int start, int end, double score, int id)
        {
            if (best[end].Start < 0 || score > best[end].Score)
                best[end] = (score, start, id);
        }

        void Collect()
        {
            var from = ids.Count;
            for (var end = word.Length; end > 0; end = best[end].Start)
                if (best[end].Id != _unknownId || ids.Count == from || ids[^1] != _unknownId)
                    ids.Add(best[end].Id);
            ids.Reverse(from, ids.Count - from);
        }
    }

    private void Add(string piece, int id)
    {
        var node = 0;
        foreach (var character in piece)
        {
            var edge = Edge(node, character);
            if (!_children.TryGetValue(edge, out node))
            {
                node = _pieceAt.Count;
                _children.Add(edge, node);
                _pieceAt.Add(-1);
            }
        }

        _pieceAt[node] = id;
    }

    private static long Edge(int node, char character) => ((long)node << 16) | character;
}
