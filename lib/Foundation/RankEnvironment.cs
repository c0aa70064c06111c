using System.Globalization;

namespace Dreambooth.Lab.Foundation;

/// <summary>
/// Which of several processes of one run this is, as its launcher said in environment variables: torchrun and Kubernetes' PyTorchJob
/// (<c>RANK</c>, <c>WORLD_SIZE</c>, <c>LOCAL_RANK</c>, <c>MASTER_ADDR</c>, <c>MASTER_PORT</c>), Open MPI (<c>OMPI_COMM_WORLD_RANK</c>, …)
/// or a step of Slurm (<c>SLURM_PROCID</c>, …). They are read in this order, since torchrun may run below each of the others.
/// </summary>
internal sealed record RankEnvironment
{
    /// <summary>The port that torchrun takes where none is named, and so this.</summary>
    public const int DefaultPort = 29500;

    /// <summary>A process by itself: rank 0 of 1.</summary>
    public static RankEnvironment Alone { get; } = new();

    /// <summary>This process's number among all, from 0.</summary>
    public int Rank { get; init; }

    /// <summary>How many processes there are, at least 1.</summary>
    public int Count { get; init; } = 1;

    /// <summary>This process's number among those of its machine, from 0: the GPU that it takes.</summary>
    public int LocalRank { get; init; }

    /// <summary>How many processes of the run share this one's machine and its memory, as far as the launcher says; at least 1.</summary>
    public int LocalCount { get; init; } = 1;

    /// <summary>The name or address of rank 0's machine.</summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>The launcher's port on that machine, 1 to 65535; others of the run lie above it.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>What tells this start from others that share its secret, such as a job's number; equal on all ranks.</summary>
    public string Launch { get; init; } = "";

    /// <summary>Whether there is one process only: nothing is shared, and nobody is waited for.</summary>
    public bool IsAlone => Count == 1;

    /// <summary>Whether this process writes what all share.</summary>
    public bool IsFirst => Rank == 0;

    /// <summary>Reads this process's place.</summary>
    /// <param name="variable">The environment; null for this process's own. An empty value counts as none.</param>
    /// <returns><see cref="Alone"/> where no launcher started several processes.</returns>
    /// <exception cref="UsageException">Variables are missing, no numbers, or contradict each other.</exception>
    public static RankEnvironment Read(Func<string, string?>? variable = null)
    {
        var variables = new LauncherVariables(variable ?? Environment.GetEnvironmentVariable);
        var place = Torchrun(variables) ?? OpenMpi(variables) ?? Slurm(variables) ?? Alone;
        if (place.IsAlone)
            return Alone;
        return place.LocalRank <= place.Rank || place.Launch.StartsWith("torchrun", StringComparison.Ordinal) ? place
            : throw new UsageException($"This is rank {place.Rank}, but local rank {place.LocalRank}: a local rank is never larger.");
    }

    /// <inheritdoc/>
    public override string ToString() => $"rank {Rank} of {Count}";

    private static RankEnvironment? Torchrun(LauncherVariables variables)
    {
        int? rank = variables.Number("RANK"), count = variables.Number("WORLD_SIZE"), local = variables.Number("LOCAL_RANK");
        if (rank is null && count is null or 1)
        {
            return local is null or 0 || variables.Has("OMPI_COMM_WORLD_RANK") || variables.IsSlurmStep ? null : throw new UsageException(
                $"LOCAL_RANK is {local}, but RANK and WORLD_SIZE are not set. Set all three, as torchrun does, or none.");
        }

        if (rank is null || count is null)
        {
            throw new UsageException(rank is null
                ? $"WORLD_SIZE is {count}, but RANK is not set. Set both, as torchrun does, or neither."
                : $"RANK is {rank}, but WORLD_SIZE is not set. Set both, as torchrun does, or neither.");
        }

        CheckRank("RANK", rank.Value, "WORLD_SIZE", count.Value);
        if (local >= count)
            throw new UsageException($"LOCAL_RANK is {local} and WORLD_SIZE {count}: a local rank is smaller than the number of ranks.");
        var place = new RankEnvironment
        {
            Rank = rank.Value,
            Count = count.Value,
            LocalRank = local ?? 0,
            LocalCount = Math.Max(1, variables.Number("LOCAL_WORLD_SIZE") ?? 1),
        };
        if (place.IsAlone)
            return place;
        if (!variables.Has("TORCHELASTIC_RUN_ID"))
            variables.CheckAgainstOthers(place);
        return place with
        {
            Address = variables.Text("MASTER_ADDR") ?? throw new UsageException(
                $"WORLD_SIZE is {count}, but MASTER_ADDR is not set: the name or address of the machine of rank 0."),
            Port = variables.Port ?? (variables.Has("LAB_RENDEZVOUS_PORT") ? DefaultPort : throw new UsageException(
                $"WORLD_SIZE is {count}, but MASTER_PORT is not set: a port of rank 0's machine, the same for all ranks.")),
            Launch = $"torchrun {variables.Text("TORCHELASTIC_RUN_ID")}",
        };
    }

    private static RankEnvironment? OpenMpi(LauncherVariables variables)
    {
        const string name = "OMPI_COMM_WORLD_";
        if (!variables.Has(name + "RANK") && !variables.Has(name + "SIZE"))
            return null;
        int rank = variables.Needed(name + "RANK"), count = variables.Needed(name + "SIZE");
        CheckRank(name + "RANK", rank, name + "SIZE", count);
        var here = variables.Number(name + "LOCAL_SIZE");
        return count == 1 ? Alone : new RankEnvironment
        {
            Rank = rank,
            Count = count,
            LocalRank = variables.Needed(name + "LOCAL_RANK"),
            LocalCount = Math.Max(1, here ?? 1),
            Address = variables.Text("MASTER_ADDR") ?? (here == count ? Alone.Address : throw new UsageException(
                $"Open MPI started {count} ranks on several machines, and MASTER_ADDR is not set: give all ranks the name or address of "
                + "the machine of rank 0 (mpirun -x MASTER_ADDR=...).")),
            Port = variables.Port ?? DefaultPort,
            Launch = $"mpirun {variables.Text("PMIX_NAMESPACE")}",
        };
    }

    private static RankEnvironment? Slurm(LauncherVariables variables)
    {
        if (!variables.IsSlurmStep)
            return null;
        var size = variables.Has("SLURM_STEP_NUM_TASKS") ? "SLURM_STEP_NUM_TASKS" : "SLURM_NTASKS";
        var count = variables.Needed(size);
        if (count == 1)
            return Alone;
        var rank = variables.Needed("SLURM_PROCID");
        CheckRank("SLURM_PROCID", rank, size, count);
        int job = variables.Number("SLURM_JOB_ID") ?? 0, step = variables.Number("SLURM_STEP_ID") ?? 0;
        return new RankEnvironment
        {
            Rank = rank,
            Count = count,
            LocalRank = variables.Needed("SLURM_LOCALID"),
            LocalCount = IsOnOneNode(variables) ? count : Math.Max(1, variables.Number("SLURM_NTASKS_PER_NODE") ?? 1),
            Address = variables.Text("MASTER_ADDR") ?? FirstNode(variables),
            // Steps of one machine take other ports, below those that the system gives away.
            Port = variables.Port ?? 20_000 + (int)(((31L * job) + step) * 17 % 12_000),
            Launch = string.Create(CultureInfo.InvariantCulture, $"slurm {job}.{step}"),
        };
    }

    private static bool IsOnOneNode(LauncherVariables variables) => variables.Text("SLURM_STEP_NUM_NODES") == "1";

    private static string FirstNode(LauncherVariables variables)
    {
        if (IsOnOneNode(variables))
            return Alone.Address;
        string[] names = ["SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST"];
        return names.Select(variables.Text).FirstOrDefault(text => text is not null) is { } list
            ? SlurmNodes.First(list)
            : throw new UsageException(
                "Slurm started several tasks, but none of SLURM_STEP_NODELIST, SLURM_JOB_NODELIST and MASTER_ADDR says on which machines.");
    }

    private static void CheckRank(string rankName, int rank, string countName, int count)
    {
        if (count < 1 || rank >= count)
        {
            throw new UsageException(
                $"{rankName} is {rank} and {countName} is {count}: ranks count from 0, and there are as many as {countName} says.");
        }
    }
}
