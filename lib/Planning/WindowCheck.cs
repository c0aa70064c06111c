using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Planning;

/// <summary>Whether the texts of a training fit the encoders' windows, in training and when pictures are generated.</summary>
internal static class WindowCheck
{
    private const int MostShown = 60;
    private const int MostNamed = 20;

    /// <summary>Makes the check.</summary>
    /// <param name="texts">Each text with what it is of: the pictures it belongs to, or the prompt's name.</param>
    /// <param name="readers">The tokenizers; none: lengths are not known.</param>
    public static PreflightCheck Of(IReadOnlyList<(string Text, string Whose)> texts, IReadOnlyList<PromptReader> readers)
    {
        const string Subject = "texts";
        var count = texts.Count == 1 ? "1 text" : $"{texts.Count} texts";
        if (readers.Count == 0)
            return new(Subject, PreflightStatus.Ok, $"{count}; their lengths are not known without tokenizers");
        var lengths = readers.Select(reader => texts.Select(text => reader.Tokenizer.Encode(text.Text).Count).ToArray()).ToArray();
        var windows = string.Join("; ", readers.Select((reader, r) =>
            $"{reader.Name} has up to {lengths[r].Max()} tokens and reads {reader.Trained}"
            + (reader.Generated == reader.Trained ? string.Empty : $" in training, {reader.Generated} when pictures are generated")));
        string[] cut =
        [
            .. texts.Select((text, i) => (text, Readers: Cutting(readers, lengths, i)))
                .Where(entry => entry.Readers.Length > 0)
                .Select(entry =>
                    $"{entry.text.Whose}: {string.Join(", ", entry.Readers)} of “{ShownText.Line(entry.text.Text, MostShown)}”"),
        ];
        return cut.Length == 0
            ? new(Subject, PreflightStatus.Ok, $"{count}, read to the end: {windows}")
            : new(Subject, PreflightStatus.Warning, $"{cut.Length} of {count} cut, and what stands behind is not learned: {windows}")
            {
                Details = cut.Length <= MostNamed ? cut : [.. cut.Take(MostNamed), $"and {cut.Length - MostNamed} more"],
            };
    }

    /// <summary>Every distinct text of a data set with the names of its pictures.</summary>
    /// <param name="dataset">The instance pictures.</param>
    public static IEnumerable<(string Text, string Whose)> Captions(DreamBoothDataset dataset) =>
        from subject in dataset.Subjects
        from picture in subject.Folder.Pictures
        group picture by subject.Captions.Of(picture.Path).Text ?? subject.Subject.InstancePrompt into same
        select (same.Key, ShownText.Names([.. same.Select(picture => Path.GetFileName(picture.Path))]));

    private static string[] Cutting(IReadOnlyList<PromptReader> readers, int[][] lengths, int text) =>
    [
        .. readers.Select((reader, r) => (reader, Length: lengths[r][text])).Where(entry => entry.Length > entry.reader.Trained)
            .Select(entry => $"{entry.reader.Name} reads {entry.reader.Trained} of {entry.Length} tokens"),
    ];
}
