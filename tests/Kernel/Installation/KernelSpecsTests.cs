using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel;
using Dreambooth.Lab.Kernel.Installation;
using Dreambooth.Lab.Kernel.Protocol;

namespace Dreambooth.Lab.Tests.Kernel.Installation;

[Trait("Category", "Kernel")]
public sealed class KernelSpecsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("specs-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Install_Kernel_WritesWhatClientsRead()
    {
        var spec = KernelSpecs.Install(
            _folder, "mine", "C# (mine)", new KernelLaunch([Environment.ProcessPath!, "start", "{connection_file}"]));
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(spec.Folder, "kernel.json")))!;
        Assert.Equal("message", json["interrupt_mode"]!.ToString());
        Assert.Equal("C#", json["language"]!.ToString());
        Assert.Equal("{connection_file}", json["argv"]![2]!.ToString());
        Assert.Equal("0", json["env"]!["DOTNET_TieredPGO"]!.ToString());
        Assert.True(new FileInfo(Path.Combine(spec.Folder, "logo-64x64.png")).Length > 500);
        Assert.Null(Assert.Single(KernelSpecs.List(_folder)).Problem);
    }

    [Fact]
    public void List_ProgramMoved_SaysSo()
    {
        KernelSpecs.Install(_folder, "mine", "C#", new KernelLaunch(["/no/such/program"]));
        Assert.Contains("/no/such/program", Assert.Single(KernelSpecs.List(_folder)).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Uninstall_Kernel_LeavesThoseOfOtherPrograms()
    {
        var other = Directory.CreateDirectory(Path.Combine(_folder, "python3")).FullName;
        File.WriteAllText(Path.Combine(other, "kernel.json"), """{"argv": ["python3"], "display_name": "P", "language": "python"}""");
        KernelSpecs.Install(_folder, "mine", "C#", new KernelLaunch(["x"]));
        KernelSpecs.Uninstall("mine", _folder);
        Assert.False(Directory.Exists(Path.Combine(_folder, "mine")));
        Assert.Throws<KernelException>(() => KernelSpecs.Uninstall("python3", _folder));
        Assert.True(Directory.Exists(other));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("../x")]
    public void Install_BadName_IsRefused(string name) =>
        Assert.Throws<KernelException>(() => KernelSpecs.Install(_folder, name, "C#", new KernelLaunch(["x"])));
}
