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
}
