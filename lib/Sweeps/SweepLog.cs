using System.Text;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Sweeps;

/// <summary>
/// The records of a sweep's pictures, <c>results.jsonl</c> in its folder: one line as soon as its picture is finished. Processes that share
/// a sweep (<see cref="Shard"/>) write a log each, <c>results.shard-0-of-4.jsonl</c>, until the records are gathered in the one.
/// </summary>
internal static class SweepLog
{
    /// <summary>The name of the file in a sweep's folder.</summary>
    public const string FileName = "results.jsonl";

    private const string PartPattern = "results.shard-*-of-*.jsonl";

    /// <summary>Reads the records of a sweep, also of a running one.</summary>
    /// <param name="folder">The sweep's folder; none there: no records.</param>
    /// <returns>One record for each picture file, the last where there are several; lines that are no whole record are left out.</returns>
    /// <exception cref="LabException">A line is whole, but a field of it is missing or of another type.</exception>
    public static IReadOnlyList<SweepResult> Read(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var records = new OrderedDictionary<string, SweepResult>(StringComparer.Ordinal);
        foreach (var record in Parts(folder).Prepend(Path.Combine(folder, FileName)).SelectMany(JsonLines.Read<SweepResult>))
            records[record.Path] = record;
        return [.. records.Values];
    }

    /// <summary>Puts the logs of parts into the one, while no part writes.</summary>
    /// <param name="folder">The sweep's folder.</param>
    public static void Gather(string folder)
    {
        if (Parts(folder).Count > 0)
            Write(folder, Read(folder));
    }

    /// <summary>Appends records.</summary>
    /// <param name="folder">The sweep's folder; created when missing.</param>
    /// <param name="records">The pictures that were made.</param>
    /// <param name="shard">The part that made them; null for a whole run.</param>
    public static void Append(string folder, IEnumerable<SweepResult> records, Shard? shard = null)
    {
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, NameOf(shard));
        using var stream = new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        var text = JsonLines.Text(records);
        if (!EndsWithLineBreak(stream))
            text = "\n" + text;
        stream.Seek(0, SeekOrigin.End);
        stream.Write(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>Replaces all records, those of parts too.</summary>
    /// <param name="folder">The sweep's folder; created when missing.</param>
    /// <param name="records">The records in the order they shall have.</param>
    public static void Write(string folder, IEnumerable<SweepResult> records)
    {
        AtomicFile.WriteAllText(Path.Combine(folder, FileName), JsonLines.Text(records));
        foreach (var log in Parts(folder))
            File.Delete(log);
    }

    private static string NameOf(Shard? shard) => shard is null ? FileName : $"results.shard-{shard.Name}.jsonl";

    private static List<string> Parts(string folder) =>
        Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder, PartPattern).Order(StringComparer.Ordinal)] : [];

    // A run that was killed may have left half a line.
    private static bool EndsWithLineBreak(FileStream stream)
    {
        if (stream.Length == 0)
            return true;
        stream.Seek(-1, SeekOrigin.End);
        return stream.ReadByte() == '\n';
    }
}
