using System.Diagnostics;
using Dreambooth.Lab.Kernel.Protocol;
using Dreambooth.Lab.Kernel.Streams;

namespace Dreambooth.Lab.Tests.Kernel;

[Trait("Category", "Kernel")]
public class KernelSettingsTests
{
    [Fact]
    public void Start_SettingsOfTheKernel_HoldForItAndNotForProgramsOfCells()
    {
        using var kernel = new KernelUnderTest();
        const string Code = """
            using System.Diagnostics;
            var start = new ProcessStartInfo("env") { RedirectStandardOutput = true };
            Console.Write(System.IO.File.ReadAllText("/proc/self/environ").Contains("DOTNET_TieredPGO=0"));
            var program = Process.Start(start)!;
            Console.Write(program.StandardOutput.ReadToEnd().Contains("DOTNET_TieredPGO"));
            """;
        var text = string.Concat(kernel.Run(Code).Published.Where(m => m.Type == "stream").Select(m => m.Text("text")));
        Assert.Equal("TrueFalse", text);
    }

    [Fact]
    public async Task Start_EmptyKey_WarnsThatAnybodyCanRunCode()
    {
        var file = Path.Combine(Path.GetTempPath(), $"no-key-{Guid.NewGuid():N}.json");
        new ConnectionFile("127.0.0.1", "tcp", "", "hmac-sha256", 0, 0, 0, 0, 0).Write(file);
        var start = new ProcessStartInfo("dotnet", [LabProgram.Assembly, "kernel", "start", "--connection-file", file])
        {
            RedirectStandardError = true,
            RedirectStandardInput = true,
            Environment = { [ParentWatch.PipeVariable] = "1" },
        };
        using var process = Process.Start(start)!;
        try
        {
            var line = await process.StandardError.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1));
            Assert.StartsWith("kernel: warning: the connection file's key is empty", line, StringComparison.Ordinal);
        }
        finally
        {
            process.StandardInput.Close();
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
            File.Delete(file);
        }
    }

    [Fact]
    public void Signals_InterruptsKeepTheKernelAndTermEndsIt()
    {
        ProcessSignal.SkipWhereIgnored("INT");
        using var kernel = new KernelUnderTest();
        for (var i = 0; i < 3; i++)
        {
            var id = kernel.Client.Execute("Console.WriteLine(\"begun\");\nwhile (true) { }");
            kernel.WaitForText(id, "begun");
            ProcessSignal.Send(kernel.Process.Id, "INT");
            Assert.Equal("KeyboardInterrupt", kernel.Collect(id).Reply.Text("ename"));
        }

        Assert.Equal("ok", kernel.Run("display(1);").Reply.Text("status"));
        ProcessSignal.Send(kernel.Process.Id, "TERM");
        Assert.True(SpinWait.SpinUntil(() => kernel.Process.HasExited, TimeSpan.FromMinutes(1)));
        Assert.Equal("exit code 0", kernel.Process.ExitText);
    }

    [Fact]
    public void Execute_StackOverflowWithALongTrace_EndsTheProcess()
    {
        // As a Jupyter client starts it: nobody but the process itself reads its standard error.
        var launch = new KernelLaunch(
        [
            "env", "-u", NativeOutput.KeepStandardError, "dotnet", LabProgram.Assembly, "kernel", "start", "--connection-file",
            KernelLaunch.ConnectionFilePlaceholder,
        ]);
        using var kernel = KernelProcess.Start(launch, Path.GetTempPath(), TimeSpan.FromMinutes(2));
        kernel.Client.Execute("object o = null; for (var i = 0; i < 100_000; i++) o = new object[] { o };\no");
        Assert.True(SpinWait.SpinUntil(() => kernel.HasExited, TimeSpan.FromMinutes(3)));
    }

    [Fact]
    public void Run_ShareFromAKernelThatIsNotThere_NamesThoseThatAre()
    {
        using var kernel = new KernelUnderTest();
        var reply = kernel.Run("#!share --from nope x").Reply;
        Assert.Equal(
            "#!share --from: there is no kernel 'nope'; valid are csharp, html, javascript, value, markdown.", reply.Text("evalue"));
        Assert.Equal("ok", kernel.Run("#!value --name v --from-value 5").Reply.Text("status"));
        Assert.Equal("ok", kernel.Run("#!share --from value v").Reply.Text("status"));
    }
}
