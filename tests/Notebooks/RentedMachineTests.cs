using System.Diagnostics;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Notebooks;

/// <summary>The files that set up a rented GPU machine, as far as they can be checked without renting one.</summary>
public sealed class RentedMachineTests
{
    private const string Machine = "resource.nebius_compute_v1_instance.dreambooth.";

    private static string Folder => Path.Combine(GoldenSet.RepositoryRoot, "notebooks");

    private static string TerraformFile => Path.Combine(Folder, "nebius", "machine.tf");

    [Fact]
    public void TerraformFile_AsShipped_NamesOnlyWhatItDeclares()
    {
        var file = HclFile.Parse(File.ReadAllText(TerraformFile));
        string[] roots = [.. file.References.Select(reference => string.Join('.', reference.Split('.', '[').Take(2))).Distinct()];
        Assert.Contains("var.project", roots);
        Assert.All(roots, root => Assert.True(
            root is "path.module" or "string" or "nebius_compute_v1_instance.dreambooth"
                || file.Attributes.ContainsKey($"variable.{root[4..]}.type") && root.StartsWith("var.", StringComparison.Ordinal)
                || file.Attributes.ContainsKey($"locals.{root[6..]}") && root.StartsWith("local.", StringComparison.Ordinal),
            $"{root} is declared nowhere"));
    }

    [Fact]
    public void TerraformFile_AsShipped_HasADynamicAddressAndADiskThatGoesWithTheMachine()
    {
        var attributes = HclFile.Parse(File.ReadAllText(TerraformFile)).Attributes;
        Assert.Equal("\"nebius/nebius\"", attributes["terraform.required_providers.nebius.source"]);
        Assert.Equal("{}", attributes[Machine + "network_interfaces[0].public_ip_address"]);
        Assert.Equal("200", attributes[Machine + "boot_disk.managed_disk.spec.size_gibibytes"]);
        Assert.DoesNotContain(attributes.Keys, key => key.Contains("existing_disk", StringComparison.Ordinal));
    }

    [Fact]
    public void CloudInitFile_AsShipped_HasTheTwoLinesThatTheTerraformFileReplaces()
    {
        var setup = HclFile.Parse(File.ReadAllText(TerraformFile)).Attributes["locals.setup"];
        var cloudInit = File.ReadAllText(Path.Combine(Folder, "cloud-init.yaml"));
        Assert.StartsWith("#cloud-config\n", cloudInit, StringComparison.Ordinal);
        foreach (var line in new[] { "https://example.org/dreambooth-lab.git", "LAB_USER=\"ubuntu\"" })
        {
            Assert.Contains(line.Replace("\"", "\\\"", StringComparison.Ordinal), setup, StringComparison.Ordinal);
            Assert.Equal(2, cloudInit.Split(line).Length);
        }
    }

    [Theory]
    [InlineData("a = {\n  b = 1\n", "line 3")]
    [InlineData("a = [1, 2\nb = 3\n", "line 2")]
    [InlineData("a = \"x\nb = 1\n", "line 1")]
    [InlineData("block \"x\" {\n  a = \"${f(var.b}\"\n}\n", "line 2")]
    public void Parse_UnbalancedText_NamesTheLine(string text, string line) =>
        Assert.StartsWith(line, Assert.Throws<FormatException>(() => HclFile.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void TerraformFile_AsShipped_IsFormattedAsTerraformFormats()
    {
        using var process = Start("terraform", "fmt", "-check", "-diff", TerraformFile);
        Assert.SkipWhen(process is null, "terraform is not installed");
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, output);
    }

    private static Process? Start(string program, params string[] arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true });
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
