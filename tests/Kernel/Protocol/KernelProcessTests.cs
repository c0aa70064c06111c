using Dreambooth.Lab.Kernel;
using Dreambooth.Lab.Kernel.Protocol;

namespace Dreambooth.Lab.Tests.Kernel.Protocol;

/// <summary>Programs that are no kernels, started as one.</summary>
[Trait("Category", "Kernel")]
public sealed class KernelProcessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kernel-process-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("The address tcp://127.0.0.1:1 cannot be bound: in use", 3)]
    [InlineData("Something else went wrong", 1)]
    public void Start_ProgramThatEnds_IsTriedAgainWhereAPortWasTakenAndItsLastWordsAreTold(string words, int tries)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no shell of that kind");
        var launch = new KernelLaunch(["/bin/sh", "-c", $"echo x >> tries; echo '{words}' >&2; exit 3"]);
        var error = Assert.Throws<KernelException>(() => KernelProcess.Start(launch, _folder, TimeSpan.FromSeconds(60)));
        Assert.Contains("exit code 3", error.Message, StringComparison.Ordinal);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
        Assert.Equal(tries, File.ReadAllLines(Path.Combine(_folder, "tries")).Length);
    }
}
