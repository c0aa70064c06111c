using Dreambooth.Lab.Kernel.Engine;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Dreambooth.Lab.Tests.Kernel.Engine;

[Trait("Category", "Kernel")]
public sealed class AssemblyDependenciesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dependencies-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Of_DependencyBesideTheAssembly_IsFound()
    {
        var inner = Compile("Inner", _folder, "public class Inner { public int Value => 7; }");
        var outer = Compile("Outer", _folder, "public class Outer { public Inner Inner = new Inner(); }", inner);
        Assert.Equal([inner], new AssemblyDependencies(new Dictionary<string, string>()).Of(outer));
    }

    [Fact]
    public void Of_DependencyInAPackage_IsFoundByTheDepsFile()
    {
        var package = Directory.CreateDirectory(Path.Combine(_folder, "packages", "inner", "1.0.0", "lib", "net10.0")).FullName;
        var inner = Compile("Inner", package, "public class Inner { }");
        var outer = Compile("Outer", _folder, "public class Outer { public Inner Inner = new Inner(); }", inner);
        File.WriteAllText(Path.Combine(_folder, "Outer.deps.json"), """
            {"targets": {"net10.0": {"Outer/1.0.0": {"dependencies": {"Inner": "1.0.0"}, "runtime": {"Outer.dll": {}}},
             "Inner/1.0.0": {"runtime": {"lib/net10.0/Inner.dll": {}}}}},
             "libraries": {"Outer/1.0.0": {"type": "project"}, "Inner/1.0.0": {"type": "package", "path": "inner/1.0.0"}}}
            """);
        var before = Environment.GetEnvironmentVariable("NUGET_PACKAGES");
        Environment.SetEnvironmentVariable("NUGET_PACKAGES", Path.Combine(_folder, "packages"));
        try
        {
            Assert.Equal([inner], new AssemblyDependencies(new Dictionary<string, string>()).Of(outer));
        }
        finally
        {
            Environment.SetEnvironmentVariable("NUGET_PACKAGES", before);
        }
    }

    [Fact]
    public void Of_DependencyThatTheHostHas_IsTheHosts()
    {
        var inner = Compile("Inner", _folder, "public class Inner { }");
        var outer = Compile("Outer", _folder, "public class Outer { public Inner Inner = new Inner(); }", inner);
        Assert.Equal(
            ["/host/Inner.dll"], new AssemblyDependencies(new Dictionary<string, string> { ["Inner"] = "/host/Inner.dll" }).Of(outer));
    }

    [Fact]
    public void Reference_OfAnAssembly_LetsCellsNameTypesOfItsDependencies()
    {
        var inner = Compile("Inner", _folder, "public class Inner { public int Value => 7; }");
        var outer = Compile("Outer", _folder, "public class Outer { public Inner Inner = new Inner(); }", inner);
        var engine = new CellEngine([]);
        Assert.Null(engine.References.Add(outer));
        using var run = new CellRun(null);
        Assert.Equal((true, 7), engine.Execute("Inner inner = new Outer().Inner;\ninner.Value", "In[1]", "k", run));
    }

    private static string Compile(string name, string folder, string code, params string[] references)
    {
        var path = Path.Combine(folder, name + ".dll");
        var compilation = CSharpCompilation.Create(
            name,
            [CSharpSyntaxTree.ParseText(code)],
            [MetadataReference.CreateFromFile(typeof(object).Assembly.Location),
                .. references.Select(r => MetadataReference.CreateFromFile(r))],
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));
        var result = compilation.Emit(path);
        Assert.True(result.Success, string.Join('\n', result.Diagnostics));
        return path;
    }
}
