using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;

namespace Dreambooth.Lab.Tests.Native;

public class ElfVersionNeedTests
{
    private static byte[] Binding() => File.ReadAllBytes(
        Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libLibTorchSharp.so"));

    [Fact]
    public void MarkWeak_NeedOfTorchSharp_ChangesOneFlagOnly()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "ELF files belong to Linux.");
        var before = Binding();
        var after = Binding();
        Assert.Equal(1, ElfVersionNeed.MarkWeak(after, "GLIBCXX_3.4.32"));
        var changed = Enumerable.Range(0, before.Length).Where(i => before[i] != after[i]).ToArray();
        Assert.Single(changed);
        Assert.Equal(before[changed[0]] | 0x2, after[changed[0]]);
    }

    [Fact]
    public void MarkWeak_UnknownVersion_ChangesNothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "ELF files belong to Linux.");
        var image = Binding();
        Assert.Equal(0, ElfVersionNeed.MarkWeak(image, "GLIBCXX_9.9.9"));
        Assert.Equal(Binding(), image);
    }

    [Fact]
    public void MarkWeak_TruncatedFile_IsRefused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "ELF files belong to Linux.");
        var half = Binding()[..100_000];
        Assert.Throws<LabException>(() => ElfVersionNeed.MarkWeak(half, "GLIBCXX_3.4.32"));
    }

    [Fact]
    public void MarkWeak_NoElfFile_IsRefused() =>
        Assert.Throws<LabException>(() => ElfVersionNeed.MarkWeak(new byte[128], "GLIBCXX_3.4.32"));
}
