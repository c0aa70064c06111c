namespace Dreambooth.Lab.Kernel.Notebooks;

/// <summary>One output of a cell, for a comparison of two kernels.</summary>
/// <param name="Kind"><c>stdout</c>, <c>stderr</c>, <c>display</c> or <c>error</c>.</param>
/// <param name="MimeTypes">Of a display its MIME types but <c>text/plain</c>, in order.</param>
/// <param name="Text">The stream's text or the error's message.</param>
internal sealed record ShownOutput(string Kind, string MimeTypes, string Text)
{
    /// <summary>What differs between the outputs of one cell in two kernels.</summary>
    /// <param name="own">This kernel's.</param>
    /// <param name="official">The official kernel's.</param>
    /// <returns>One sentence for each difference; empty when there is none.</returns>
    public static IEnumerable<string> Differences(IReadOnlyList<ShownOutput> own, IReadOnlyList<ShownOutput> official)
    {
        var (error, ownError) = (official.FirstOrDefault(o => o.Kind == "error"), own.FirstOrDefault(o => o.Kind == "error"));
        if (error is not null && ownError is null)
            yield return $"official fails: {Short(error.Text)}";
        if (error is null && ownError is not null)
            yield return $"own fails: {Short(ownError.Text)}";
        if (error is not null || ownError is not null)
            yield break;
        foreach (var stream in new[] { "stdout", "stderr" })
        {
            var (mine, other) = (TextOf(own, stream), TextOf(official, stream));
            if (mine != other)
                yield return $"{stream}: official '{Short(other)}', own '{Short(mine)}'";
        }

        var (ownShown, shown) = (own.Where(o => o.Kind == "display").ToList(), official.Where(o => o.Kind == "display").ToList());
        if (ownShown.Count != shown.Count)
            yield return FormattableString.Invariant($"official shows {shown.Count} values, own {ownShown.Count}");
        foreach (var (mine, other) in ownShown.Zip(shown).Where(pair => pair.First.MimeTypes != pair.Second.MimeTypes))
            yield return $"official shows {Types(other)}, own {Types(mine)}";
    }

    private static string Types(ShownOutput output) => output.MimeTypes.Length == 0 ? "text/plain" : output.MimeTypes;

    private static string TextOf(IEnumerable<ShownOutput> outputs, string kind) =>
        string.Concat(outputs.Where(o => o.Kind == kind).Select(o => o.Text)).ReplaceLineEndings("\n");

    private static string Short(string text)
    {
        var line = text.Trim().Split('\n')[0].Trim();
        return line.Length <= 120 ? line : line[..120] + "…";
    }
}
