using Dreambooth.Lab.Kernel.Engine;

namespace Dreambooth.Lab.Tests.Kernel.Engine;

public class ReferenceSetTests
{
    // Without its last part the name is that of another assembly of the host.
    [Theory]
    [InlineData("Microsoft.CodeAnalysis.CSharp", "Microsoft.CodeAnalysis.CSharp.dll")]
    [InlineData("Microsoft.CodeAnalysis.CSharp.dll", "Microsoft.CodeAnalysis.CSharp.dll")]
    public void Add_NameOfAHostsAssembly_IsThatOne(string name, string file)
    {
        var references = new ReferenceSet();
        Assert.Null(references.Add(name));
        Assert.Contains(references.All, reference => Path.GetFileName(reference.Display) == file);
    }
}
