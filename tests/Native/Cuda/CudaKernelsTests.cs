using System.Text.RegularExpressions;
using Dreambooth.Lab.Native.Cuda;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Native.Cuda;

public sealed partial class CudaKernelsTests
{
    [Theory]
    [InlineData("adaptive_norm", 3)]
    [InlineData("joint_heads", 2)]
    [InlineData("feature_maps", 5)]
    public void Sources_OfEveryKernel_HaveOneArgumentOfMembersOfEightBytes(string name, int kernels)
    {
        var source = Source(name);
        var arguments = Argument().Matches(source).Select(match => match.Groups[1].Value).ToList();
        Assert.Equal(kernels, arguments.Count);
        Assert.Equal(kernels, source.Split("extern \"C\" __global__").Length - 1);
        foreach (var argument in arguments)
        {
            var start = source.IndexOf($"struct {argument}\n{{\n", StringComparison.Ordinal);
            Assert.True(start >= 0, $"{name}.cu has no structure {argument}");
            var members = source[start..source.IndexOf("};", start, StringComparison.Ordinal)].Split('\n')[2..^1];
            Assert.All(members, member => Assert.Matches(Member(), member));
        }
    }

    [Fact]
    public void Sources_Preamble_IsThere() => Assert.Contains("load8", Source("elements"), StringComparison.Ordinal);

    [Fact]
    public void Of_TheCpu_IsNone() => Assert.Null(CudaKernels.Of(CPU, "joint_heads", ScalarType.Float32, ("WIDTH", 64)));

    private static string Source(string name)
    {
        using var stream = typeof(CudaKernels).Assembly.GetManifestResourceStream(name + ".cu");
        Assert.NotNull(stream);
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    [GeneratedRegex(@"\w+\(const (\w+) a\)")]
    private static partial Regex Argument();

    [GeneratedRegex(@"^    ((const )?\w+\* \w+(\[\d\])?|int64 \w+|double \w+);")]
    private static partial Regex Member();
}
