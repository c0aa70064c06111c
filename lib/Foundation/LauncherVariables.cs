using System.Globalization;

namespace Dreambooth.Lab.Foundation;

/// <summary>The environment variables of launchers, read as numbers and texts.</summary>
internal sealed class LauncherVariables(Func<string, string?> read)
{
    // Slurm's ids of what is no step of tasks: interactive, batch script, extern, and others up to the largest number.
    private const long SpecialSteps = 0xFFFFFFF0;

    /// <summary>
    /// Whether srun started this process. A batch script's own shell has the variables of tasks too, but no step, or that of the script.
    /// </summary>
    public bool IsSlurmStep => Text("SLURM_STEP_ID") is { } text
        && !(long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var step) && step >= SpecialSteps);

    /// <summary><c>MASTER_PORT</c>; null where it is not set.</summary>
    /// <exception cref="UsageException">It is no port.</exception>
    public int? Port => Number("MASTER_PORT") is not { } port ? null
        : port is > 0 and <= ushort.MaxValue ? port
        : throw new UsageException($"MASTER_PORT is {port}; a port is a number from 1 to {ushort.MaxValue}.");

    /// <summary>Whether a variable is set and not empty.</summary>
    public bool Has(string name) => Text(name) is not null;

    /// <summary>A variable's text without spaces around it; null where it is missing or empty.</summary>
    public string? Text(string name) => read(name)?.Trim() is { Length: > 0 } text ? text : null;

    /// <summary>A variable's number, from 0; null where it is missing or empty.</summary>
    /// <exception cref="UsageException">It is no whole number from 0.</exception>
    public int? Number(string name) => Text(name) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw new UsageException($"{name} is '{ShownText.Line(text)}'; it must be a whole number from 0.");

    /// <summary>A number that a launcher always sets beside others of its own.</summary>
    /// <exception cref="UsageException">It is missing, or no whole number from 0.</exception>
    public int Needed(string name) => Number(name) ?? throw new UsageException(
        $"{name} is not set, but other variables of the same launcher are. Start the program by the launcher itself, or unset them.");

    /// <summary>
    /// Finds variables that one shell exported to all tasks: RANK then differs from the number that Slurm or Open MPI gave among as many.
    /// </summary>
    /// <exception cref="UsageException">They contradict each other.</exception>
    public void CheckAgainstOthers(RankEnvironment place)
    {
        Check("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE");
        if (IsSlurmStep)
            Check("SLURM_PROCID", Has("SLURM_STEP_NUM_TASKS") ? "SLURM_STEP_NUM_TASKS" : "SLURM_NTASKS");

        void Check(string rank, string count)
        {
            if (Number(count) == place.Count && Number(rank) is { } other && other != place.Rank)
            {
                throw new UsageException(
                    $"RANK is {place.Rank}, but {rank} is {other}, both of {place.Count}. "
                    + "Unset RANK and WORLD_SIZE, or set each task's own.");
            }
        }
    }
}
