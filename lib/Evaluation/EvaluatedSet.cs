using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Evaluation;

/// <summary>A LoRA's scores in an evaluation that lies somewhere below a folder.</summary>
/// <param name="Lora">The LoRA's file or folder; a full path.</param>
/// <param name="Name">What the evaluation calls it, with its scale.</param>
/// <param name="IsSuggested">Whether the evaluation suggests it.</param>
/// <param name="Judge">Who judged.</param>
/// <param name="Means">The mean scores by name.</param>
internal sealed record EvaluatedSet(
    string Lora, string Name, bool IsSuggested, string Judge, IReadOnlyDictionary<string, double> Means)
{
    private const int Depth = 4;

    private static readonly EnumerationOptions Below = new()
    {
        RecurseSubdirectories = true,
        MaxRecursionDepth = Depth,
        IgnoreInaccessible = true,
        AttributesToSkip = FileAttributes.ReparsePoint,
    };

    /// <summary>All sets of LoRAs in the evaluations of a folder, the newest evaluation first.</summary>
    /// <param name="root">An existing folder.</param>
    public static IReadOnlyList<EvaluatedSet> Find(string root) =>
    [
        .. new DirectoryInfo(root).EnumerateFiles(EvaluationSummary.FileName, Below).OrderByDescending(file => file.LastWriteTimeUtc)
            .SelectMany(file => Read(file.FullName)),
    ];

    private static IReadOnlyList<EvaluatedSet> Read(string path)
    {
        try
        {
            var summary = JsonField.ReadFile(path);
            var (judge, suggested) = (summary.Get("judge").Get("name").Text(), summary.Find("suggested")?.Text());
            return
            [
                .. from set in summary.Get("sets").Items()
                   let name = set.Get("name").Text()
                   let lora = set.Find("lora")?.Text()
                   where lora is not null
                   select new EvaluatedSet(
                       Path.GetFullPath(lora), name, name == suggested, judge,
                       set.Get("means").Entries().ToDictionary(
                           entry => entry.Key, entry => entry.Value.Get("mean").Number(), StringComparer.Ordinal)),
            ];
        }
        catch (LabException)
        {
            return [];
        }
    }
}
