using Dreambooth.Lab.Kernel;
using Dreambooth.Lab.Kernel.Engine;
using Dreambooth.Lab.Kernel.Subkernels;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.DotNet.Interactive;

namespace Dreambooth.Lab.Tests.Kernel.Subkernels;

[Trait("Category", "Kernel")]
public sealed class KernelExtensionLoaderTests : IDisposable
{
    private const string Extension = """
        public sealed class NAME : Microsoft.DotNet.Interactive.IKernelExtension
        {
            public System.Threading.Tasks.Task OnLoadAsync(Microsoft.DotNet.Interactive.Kernel kernel) { BODY }
        }
        """;

    private const string CountItself = "kernel.KernelInfo.Description += \"x\"; return System.Threading.Tasks.Task.CompletedTask;";

    private readonly string _folder = Directory.CreateTempSubdirectory("extensions-").FullName;
    private readonly CompositeKernel _kernels = new();
    private readonly ReferenceSet _references = new();
    private readonly KernelExtensionLoader _loader;

    public KernelExtensionLoaderTests() => _loader = new KernelExtensionLoader(_references, _ => { }) { Kernels = () => _kernels };

    public void Dispose()
    {
        _kernels.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Add_AssemblyWithAnExtension_LoadsItOnceAndReferencesIt()
    {
        var path = Compile("Once", Extension.Replace("NAME", "Once").Replace("BODY", CountItself));
        await _loader.AddAsync(path);
        await _loader.AddAsync(path);
        Assert.Equal("x", _kernels.KernelInfo.Description);
        Assert.Contains(_references.All, reference => reference.Display == path);
    }

    [Fact]
    public async Task Add_AssemblyWithoutAnExtension_IsReferencedAndNotLoaded()
    {
        var path = Compile("Plain", "public sealed class Plain { }");
        await _loader.AddAsync(path);
        Assert.Contains(_references.All, reference => reference.Display == path);
        Assert.DoesNotContain(AppDomain.CurrentDomain.GetAssemblies(), assembly => !assembly.IsDynamic && assembly.Location == path);
    }

    [Fact]
    public async Task Add_ExtensionThatThrows_IsNamed()
    {
        var path = Compile("Bad", Extension.Replace("NAME", "Bad").Replace("BODY", "throw new System.Exception(\"no luck\");"));
        var error = await Assert.ThrowsAsync<KernelException>(() => _loader.AddAsync(path));
        Assert.Equal("The extension Bad of Bad failed: no luck", error.Message);
    }

    [Fact]
    public async Task Add_PackageWithAnExtensionAndAScript_LoadsBoth()
    {
        var folder = Path.Combine(_folder, "interactive-extensions", "dotnet");
        Directory.CreateDirectory(folder);
        File.Move(Compile("Packed", Extension.Replace("NAME", "Packed").Replace("BODY", CountItself)), Path.Combine(folder, "Packed.dll"));
        File.WriteAllText(Path.Combine(folder, "extension.dib"), "#!value --name fromScript\n5\n");
        var values = new KeyValueStoreKernel();
        _kernels.Add(values);
        await _loader.AddAsync([new ResolvedPackageReference("Packed", "1.0.0", [], packageRoot: _folder)]);
        Assert.Equal("x", _kernels.KernelInfo.Description);
        Assert.Contains("fromScript", values.Values.Keys);
    }

    private string Compile(string name, string code)
    {
        var path = Path.Combine(_folder, name + ".dll");
        var compilation = CSharpCompilation.Create(
            name, [CSharpSyntaxTree.ParseText(code)], _references.All, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));
        Assert.Empty(compilation.Emit(path).Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error));
        return path;
    }
}
