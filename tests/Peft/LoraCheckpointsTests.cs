using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;

namespace Dreambooth.Lab.Tests.Peft;

public sealed class LoraCheckpointsTests : IDisposable
{
    private readonly string _run = Directory.CreateTempSubdirectory("lab-checkpoints-").FullName;

    public void Dispose() => Directory.Delete(_run, recursive: true);

    [Fact]
    public void List_FoldersOfAllKinds_GivesCheckpointsByStep()
    {
        foreach (var name in new[] { "checkpoint-100", "checkpoint-20", "checkpoint-x", "checkpoint-", ".checkpoint-30.tmp", "validation" })
            Directory.CreateDirectory(Path.Combine(_run, name));
        Assert.Equal([20, 100], LoraCheckpoints.List(_run).Select(checkpoint => checkpoint.Step));
        Assert.Empty(LoraCheckpoints.List(Path.Combine(_run, "none")));
    }

    [Fact]
    public void Stages_MoreCheckpointsThanWanted_SpreadsThemAndEndsWithTheRun()
    {
        Lora(string.Empty, "the end");
        foreach (var step in new[] { 10, 20, 30, 40, 50, 60 })
            Lora($"checkpoint-{step}");
        // What train leaves where the steps are a multiple of checkpointing_steps.
        Lora("checkpoint-70", "the end");
        Directory.CreateDirectory(Path.Combine(_run, "checkpoint-5"));
        Assert.Equal(["step 10", "step 30", "step 50", "final"], LoraCheckpoints.Stages(_run, 4).Select(LoraCheckpoints.Name));
        Assert.Equal(7, LoraCheckpoints.Stages(_run, 100).Count);
        Assert.Equal([_run], LoraCheckpoints.Stages(_run, 1));
    }

    [Fact]
    public void Stages_NoLoraAtTheEnd_IsRefused()
    {
        Lora("checkpoint-10");
        Assert.Throws<LabException>(() => LoraCheckpoints.Stages(_run, 2));
    }

    private void Lora(string folder, string weights = "weights")
    {
        Directory.CreateDirectory(Path.Combine(_run, folder));
        File.WriteAllText(Path.Combine(_run, folder, LoraFile.DefaultName), weights);
    }
}
