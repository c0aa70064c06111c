using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Foundation;

public sealed class RankEnvironmentTests
{
    private const string Torchrun = "RANK=3 WORLD_SIZE=4 LOCAL_RANK=1 MASTER_ADDR=head MASTER_PORT=29600 TORCHELASTIC_RUN_ID=x";
    private const string Step = "SLURM_JOB_ID=7 SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=2 SLURM_NTASKS=2 SLURM_PROCID=1 SLURM_LOCALID=0 "
        + "SLURM_STEP_NODELIST=gpu[03-04],x SLURM_JOB_NODELIST=gpu[01-04]";
    private const string Mpi = "OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_LOCAL_RANK=1 OMPI_COMM_WORLD_LOCAL_SIZE=2";

    [Theory]
    [InlineData("")]
    [InlineData("RANK=0 WORLD_SIZE=1 LOCAL_RANK=0 MASTER_ADDR=head MASTER_PORT=29600")]
    [InlineData("WORLD_SIZE=1 LOCAL_RANK=0")]
    [InlineData("MASTER_ADDR=head MASTER_PORT=29600 RANK= WORLD_SIZE=")]
    [InlineData("SLURM_JOB_ID=7 SLURM_NTASKS=4 SLURM_PROCID=0 SLURM_LOCALID=0")] // a batch script's shell
    [InlineData("SLURM_JOB_ID=7 SLURM_STEP_ID=4294967291 SLURM_NTASKS=4 SLURM_PROCID=0 SLURM_LOCALID=0")]
    [InlineData("SLURM_JOB_ID=7 SLURM_STEP_ID=4294967290 SLURM_NTASKS=4 SLURM_PROCID=0 SLURM_LOCALID=0")] // salloc's shell
    [InlineData("SLURM_JOB_ID=7 SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=1 SLURM_NTASKS=4 SLURM_PROCID=0 SLURM_LOCALID=0")]
    [InlineData("OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=1 OMPI_COMM_WORLD_LOCAL_RANK=0")]
    public void Read_NoOrOneProcess_IsAlone(string variables) => Assert.Equal(RankEnvironment.Alone, Read(variables));

    [Theory]
    [InlineData(Torchrun, 3, 4, 1, "head", 29600)]
    [InlineData("RANK=1 WORLD_SIZE=2 MASTER_ADDR=job-master-0 MASTER_PORT=23456", 1, 2, 0, "job-master-0", 23456)] // PyTorchJob
    [InlineData("RANK=1 WORLD_SIZE=2 MASTER_ADDR=h LAB_RENDEZVOUS_PORT=4000", 1, 2, 0, "h", 29500)]
    [InlineData(Step, 1, 2, 0, "gpu03", 23689)]
    [InlineData(Step + " SLURM_STEP_NUM_NODES=1", 1, 2, 0, "127.0.0.1", 23689)]
    [InlineData(Step + " MASTER_ADDR=10.0.0.1 MASTER_PORT=5000", 1, 2, 0, "10.0.0.1", 5000)]
    [InlineData(Mpi, 1, 2, 1, "127.0.0.1", 29500)]
    [InlineData(Mpi + " MASTER_ADDR=head MASTER_PORT=6000", 1, 2, 1, "head", 6000)]
    [InlineData(Torchrun + " " + Step, 3, 4, 1, "head", 29600)] // srun torchrun
    [InlineData(Mpi + " SLURM_STEP_ID=0 SLURM_NTASKS=2 SLURM_PROCID=0 SLURM_LOCALID=0", 1, 2, 1, "127.0.0.1", 29500)] // mpirun over srun
    public void Read_Launcher_IsItsPlace(string variables, int rank, int count, int local, string address, int port)
    {
        var place = Read(variables);
        Assert.Equal((rank, count, local, address, port), (place.Rank, place.Count, place.LocalRank, place.Address, place.Port));
        Assert.False(place.IsAlone);
    }

    [Theory]
    [InlineData(Torchrun + " LOCAL_WORLD_SIZE=2", 2)]
    [InlineData(Mpi, 2)]
    [InlineData(Step, 1)]
    [InlineData(Step + " SLURM_STEP_NUM_NODES=1", 2)]
    [InlineData(Step + " SLURM_STEP_NUM_NODES=2 SLURM_NTASKS_PER_NODE=4", 4)]
    public void Read_Launcher_KnowsHowManyShareTheMachine(string variables, int here) => Assert.Equal(here, Read(variables).LocalCount);

    [Theory]
    [InlineData("RANK=0", "WORLD_SIZE is not set")]
    [InlineData("WORLD_SIZE=2 MASTER_ADDR=h MASTER_PORT=1", "RANK is not set")]
    [InlineData("LOCAL_RANK=1", "RANK and WORLD_SIZE are not set")]
    [InlineData("RANK=2 WORLD_SIZE=2 MASTER_ADDR=h MASTER_PORT=1", "RANK is 2 and WORLD_SIZE is 2")]
    [InlineData("RANK=0 WORLD_SIZE=0", "WORLD_SIZE is 0")]
    [InlineData("RANK=-1 WORLD_SIZE=2", "RANK is '-1'")]
    [InlineData("RANK=one WORLD_SIZE=2", "RANK is 'one'")]
    [InlineData("RANK=0 WORLD_SIZE=2 LOCAL_RANK=2 MASTER_ADDR=h MASTER_PORT=1", "LOCAL_RANK is 2")]
    [InlineData("RANK=0 WORLD_SIZE=2 MASTER_PORT=1", "MASTER_ADDR is not set")]
    [InlineData("RANK=0 WORLD_SIZE=2 MASTER_ADDR=h", "MASTER_PORT is not set")]
    [InlineData("RANK=0 WORLD_SIZE=2 MASTER_ADDR=h MASTER_PORT=70000", "MASTER_PORT is 70000")]
    [InlineData(Step + " RANK=0 WORLD_SIZE=2 MASTER_ADDR=h MASTER_PORT=1", "SLURM_PROCID is 1")] // one export for all tasks
    [InlineData(Mpi + " RANK=0 WORLD_SIZE=2 MASTER_ADDR=h MASTER_PORT=1", "OMPI_COMM_WORLD_RANK is 1")]
    [InlineData("OMPI_COMM_WORLD_RANK=1", "OMPI_COMM_WORLD_SIZE is not set")]
    [InlineData("OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_LOCAL_RANK=0 OMPI_COMM_WORLD_LOCAL_SIZE=1", "MASTER_ADDR")]
    [InlineData("OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_LOCAL_RANK=1 MASTER_ADDR=h", "local rank 1")]
    [InlineData("SLURM_STEP_ID=0", "SLURM_NTASKS is not set")]
    [InlineData("SLURM_STEP_ID=0 SLURM_NTASKS=2 SLURM_PROCID=2", "SLURM_PROCID is 2")]
    [InlineData("SLURM_STEP_ID=0 SLURM_NTASKS=2 SLURM_PROCID=1", "SLURM_LOCALID is not set")]
    [InlineData("SLURM_STEP_ID=0 SLURM_NTASKS=2 SLURM_PROCID=1 SLURM_LOCALID=0", "SLURM_STEP_NODELIST")]
    [InlineData("SLURM_STEP_ID=0 SLURM_NTASKS=2 SLURM_PROCID=1 SLURM_LOCALID=0 SLURM_NODELIST=n[1", "'n[1'")]
    public void Read_IncompleteOrContradictory_OneError(string variables, string says) =>
        Assert.Contains(says, Assert.Throws<UsageException>(() => Read(variables)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("n1", "n1")]
    [InlineData("n1,n2", "n1")]
    [InlineData("n[1-2]", "n1")]
    [InlineData("n[007,9-12],m1", "n007")]
    [InlineData("r[2-3]n[01-04]-ib,z", "r2n01-ib")]
    public void First_List_IsTheFirstName(string list, string first) => Assert.Equal(first, SlurmNodes.First(list));

    private static RankEnvironment Read(string variables)
    {
        var all = variables.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('='))
            .GroupBy(pair => pair[0]).ToDictionary(pairs => pairs.Key, pairs => pairs.Last()[1]);
        return RankEnvironment.Read(all.GetValueOrDefault);
    }
}
