using System.Reflection.PortableExecutable;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Kernel;

/// <summary>What lib/Kernel/CompileAhead.targets compiles is what runs.</summary>
public sealed class CompileAheadTests
{
    [Fact]
    public void Build_WhereItsCompilerIs_LaysMachineCodeBesideThePrograms()
    {
        var images = Path.Combine(GoldenSet.RepositoryRoot, "lib", "Kernel", "obj", "ahead");
        Assert.SkipUnless(Directory.Exists(images), "nothing is compiled ahead on this machine");
        Assert.All(
            ["Microsoft.CodeAnalysis", "Microsoft.CodeAnalysis.CSharp", "Microsoft.DotNet.Interactive", "NetMQ"],
            name => Assert.True(HasMachineCode(Path.Combine(AppContext.BaseDirectory, name + ".dll"))));
    }

    private static bool HasMachineCode(string path)
    {
        using var file = new PEReader(File.OpenRead(path));
        return file.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size > 0;
    }
}
