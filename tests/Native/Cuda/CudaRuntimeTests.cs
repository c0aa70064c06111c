using System.Reflection;
using System.Runtime.InteropServices;
using Dreambooth.Lab.Native.Cuda;

namespace Dreambooth.Lab.Tests.Native.Cuda;

public sealed class CudaRuntimeTests
{
    private const BindingFlags Any = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    [Fact]
    public void ImportedFunctions_OfTheRuntimeLibrary_AreDeclaredWhereItIsFound()
    {
        // A function of the library that another type declares is looked for before CudaRuntime says where the library lies.
        var declaring = typeof(CudaRuntime).Assembly.GetTypes()
            .Where(type => type.GetMethods(Any | BindingFlags.DeclaredOnly)
                .Any(method => method.GetCustomAttribute<DllImportAttribute>()?.Value == "cudart"));

        Assert.Equal([typeof(CudaRuntime)], declaring);
    }
}
