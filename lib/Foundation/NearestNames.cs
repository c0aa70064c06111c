namespace Dreambooth.Lab.Foundation;

/// <summary>Finds the valid names nearest to one that was misspelt, for error messages.</summary>
internal static class NearestNames
{
    // The table below has the product of both lengths.
    private const int MostCompared = 200;

    /// <summary>Orders <paramref name="valid"/> by similarity to <paramref name="name"/>, the most similar first.</summary>
    /// <param name="name">What was written.</param>
    /// <param name="valid">What may be written.</param>
    /// <param name="count">At most this many names are returned; at least 1.</param>
    public static IReadOnlyList<string> Of(string name, IEnumerable<string> valid, int count = 3)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(valid);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        var wanted = Plain(name);
        return [.. valid.Distinct(StringComparer.Ordinal)
            .Select(candidate => (Name: candidate, Distance: Distance(wanted, Plain(candidate))))
            .OrderBy(pair => pair.Distance)
            .ThenBy(pair => pair.Name, StringComparer.Ordinal)
            .Take(count)
            .Select(pair => pair.Name)];
    }

    /// <summary>A sentence with the names nearest to an unknown one.</summary>
    /// <param name="name">What was asked for.</param>
    /// <param name="valid">What there is.</param>
    public static string Describe(string name, IEnumerable<string> valid)
    {
        var nearest = Of(name, valid);
        return nearest.Count == 0 ? "It holds none at all." : $"Nearest: {string.Join(", ", nearest)}.";
    }

    /// <summary>The distance between two names: edits, where a name that contains the other whole counts as near.</summary>
    private static double Distance(string left, string right)
    {
        var edits = Edits(left, right);
        var shorter = Math.Min(left.Length, right.Length);
        var contained = shorter >= 3 && (left.Contains(right, StringComparison.Ordinal) || right.Contains(left, StringComparison.Ordinal));
        return contained ? Math.Min(edits, 1 + (edits / 8.0)) : edits;
    }

    private static string Plain(string name)
    {
        var start = name.AsSpan().Trim().TrimStart('-');
        return start[..Math.Min(start.Length, MostCompared)].ToString().Replace('-', '_').ToLowerInvariant();
    }

    /// <summary>Levenshtein distance where swapping two neighbours counts as one edit (optimal string alignment).</summary>
    private static int Edits(string left, string right)
    {
        var table = new int[left.Length + 1, right.Length + 1];
        for (var i = 0; i <= left.Length; i++)
            table[i, 0] = i;
        for (var j = 0; j <= right.Length; j++)
            table[0, j] = j;
        for (var i = 1; i <= left.Length; i++)
        {
            for (var j = 1; j <= right.Length; j++)
            {
                var replaced = table[i - 1, j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
                table[i, j] = Math.Min(replaced, 1 + Math.Min(table[i - 1, j], table[i, j - 1]));
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                    table[i, j] = Math.Min(table[i, j], table[i - 2, j - 2] + 1);
            }
        }

        return table[left.Length, right.Length];
    }
}
