namespace Dreambooth.Lab.Tensors;

/// <summary>Says which names there are when one was not found.</summary>
internal static class NearestNames
{
    private const int Shown = 3;

    /// <summary>A sentence with the names nearest to <paramref name="wanted"/>, by edit distance.</summary>
    public static string Describe(string wanted, IEnumerable<string> names)
    {
        var nearest = names.OrderBy(name => Distance(wanted, name)).ThenBy(name => name, StringComparer.Ordinal).Take(Shown).ToArray();
        return nearest.Length == 0 ? "It holds none at all." : $"Nearest: {string.Join(", ", nearest)}.";
    }

    private static int Distance(string left, string right)
    {
        var row = new int[right.Length + 1];
        for (var column = 0; column <= right.Length; column++)
            row[column] = column;
        for (var line = 1; line <= left.Length; line++)
        {
            var diagonal = row[0];
            row[0] = line;
            for (var column = 1; column <= right.Length; column++)
            {
                var replaced = diagonal + (left[line - 1] == right[column - 1] ? 0 : 1);
                diagonal = row[column];
                row[column] = Math.Min(replaced, Math.Min(row[column], row[column - 1]) + 1);
            }
        }

        return row[^1];
    }
}
