using System.Globalization;

namespace Dreambooth.Lab.Foundation;

/// <summary>
/// The part of a list that one of several processes takes: every <see cref="Count"/>th entry, from <see cref="Index"/> on, or as many
/// groups. The processes do not talk to each other; they share an output folder.
/// </summary>
/// <param name="Index">The part, from 0.</param>
/// <param name="Count">The number of parts, 1 or more.</param>
internal sealed record Shard(int Index, int Count)
{
    private const string Auto = "auto";

    /// <summary>What the text may be, for help.</summary>
    public const string Help = "auto takes the part from a Slurm array's task, an indexed Kubernetes Job, or the ranks of srun, "
        + "torchrun or mpirun.";

    /// <summary>The variable that says how many pods an indexed Kubernetes Job has: Kubernetes itself does not.</summary>
    public const string CountVariable = "LAB_SHARD_COUNT";

    /// <summary>Whether this is the only part.</summary>
    public bool IsWhole => Count == 1;

    /// <summary>Whether an entry is of this part.</summary>
    /// <param name="position">Its place in the whole list, from 0.</param>
    public bool Has(int position) => position % Count == Index;

    /// <summary>Divides groups that stay together: the largest first, each to the part that has least.</summary>
    /// <param name="groups">All groups, the same for all parts.</param>
    /// <param name="shard">The part; null: everything.</param>
    /// <returns>Those of the part, in order.</returns>
    public static List<int[]> Groups(IReadOnlyList<int[]> groups, Shard? shard)
    {
        if (shard is null)
            return [.. groups];
        var loads = new PriorityQueue<int, (long Load, int Part)>(Enumerable.Range(0, shard.Count).Select(part => (part, (0L, part))));
        var own = new SortedSet<int>();
        foreach (var (position, group) in groups.Index().OrderByDescending(entry => entry.Item.Length))
        {
            loads.TryDequeue(out var part, out var load);
            if (part == shard.Index)
                own.Add(position);
            loads.Enqueue(part, (load.Load + group.Length, part));
        }

        return [.. own.Select(position => groups[position])];
    }

    /// <summary>Reads <c>PART/PARTS</c> or <c>auto</c>.</summary>
    /// <param name="text">What was given; null: everything.</param>
    /// <param name="variable">An environment variable by name, null where it is not set; null: those of this process.</param>
    /// <exception cref="LabException">The text is neither, or the variables give no part; the message says what to give.</exception>
    public static Shard? Parse(string? text, Func<string, string?>? variable = null)
    {
        if (text is null)
            return null;
        if (text == Auto)
            return Of(variable ?? Environment.GetEnvironmentVariable);
        return text.Split('/') is [var left, var right] && Number(left) is { } part && Number(right) is { } parts && part < parts
            ? new Shard(part, parts)
            : throw new LabException($"shard is '{ShownText.Line(text)}'; valid is PART/PARTS, such as 0/4 to 3/4, or auto.");
    }

    /// <summary>What is wrong with a text; null where it is right.</summary>
    /// <param name="text">What was given; null: everything.</param>
    public static string? Complaint(string? text)
    {
        try
        {
            Parse(text);
            return null;
        }
        catch (LabException error)
        {
            return error.Message;
        }
    }

    /// <summary>As in names of files: <c>0-of-4</c>.</summary>
    public string Name => string.Create(CultureInfo.InvariantCulture, $"{Index}-of-{Count}");

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Index}/{Count}");

    // Each task of an array may have ranks of its own; the ranks of torchrun in a Job of several pods count all pods.
    private static Shard Of(Func<string, string?> variable)
    {
        var ranks = RankEnvironment.Read(variable) is { Count: > 1 } environment ? new Shard(environment.Rank, environment.Count) : null;
        if (variable("SLURM_ARRAY_TASK_ID") is not null)
        {
            var task = OfArray(variable);
            return ranks is null ? task : new Shard((task.Index * ranks.Count) + ranks.Index, task.Count * ranks.Count);
        }

        return ranks ?? (variable("JOB_COMPLETION_INDEX") is { } index ? OfJob(index, variable) : throw new LabException(
            "shard is auto, but this is no task of a Slurm array (SLURM_ARRAY_TASK_ID), no pod of an indexed Kubernetes Job "
            + "(JOB_COMPLETION_INDEX) and no rank of several. Start it by sbatch --array=0-3 or srun -n 4, or give PART/PARTS, such as "
            + "0/4."));
    }

    private static Shard OfArray(Func<string, string?> variable)
    {
        int Value(string name, int? missing = null) => variable(name) is not { } text && missing is { } value ? value
            : Number(variable(name)) ?? throw new LabException(
                $"shard is auto in a Slurm array, but {name} is '{ShownText.Line(variable(name) ?? string.Empty)}', which is no whole "
                + "number. Give PART/PARTS, such as 0/4.");

        var (task, first, last) = (Value("SLURM_ARRAY_TASK_ID"), Value("SLURM_ARRAY_TASK_MIN"), Value("SLURM_ARRAY_TASK_MAX"));
        var (count, step) = (Value("SLURM_ARRAY_TASK_COUNT"), Math.Max(1, Value("SLURM_ARRAY_TASK_STEP", 1)));
        var isEven = ((long)count - 1) * step == (long)last - first && task >= first && task <= last && (task - first) % step == 0;
        return isEven ? new Shard((task - first) / step, count) : throw new LabException(
            $"shard is auto, but the tasks of this Slurm array have gaps: task {task} is one of {count} from {first} to {last}, step "
            + $"{step}, and the variables do not say which are left out. Start all parts as one range, such as sbatch --array=0-{count - 1}"
            + ", or give PART/PARTS yourself, such as 0/4. To repeat a task of an array: scontrol requeue.");
    }

    private static Shard OfJob(string index, Func<string, string?> variable)
    {
        var parts = variable(CountVariable) ?? variable("JOB_COMPLETIONS") ?? throw new LabException(
            $"shard is auto in an indexed Kubernetes Job, which does not say how many pods it has: set {CountVariable} to its completions "
            + "in the manifest, or give PART/PARTS, such as 0/4.");
        return Number(index) is { } part && Number(parts) is { } count && part < count ? new Shard(part, count) : throw new LabException(
            $"shard is auto, but JOB_COMPLETION_INDEX is '{ShownText.Line(index)}' of '{ShownText.Line(parts)}' parts; the index must be "
            + $"below the number of parts ({CountVariable} or JOB_COMPLETIONS), which is the Job's completions.");
    }

    private static int? Number(string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
