using Dreambooth.Lab.Tensors;

namespace Dreambooth.Lab.Tests.Tensors;

public sealed class SafetensorsBenchmarkTests
{
    [Fact]
    public void Run_SmallFile_MeasuresAndRemovesTheFile()
    {
        var folder = Directory.CreateTempSubdirectory("lab-benchmark-").FullName;
        try
        {
            var result = SafetensorsBenchmark.Run(folder, 1);
            Assert.Equal(1, result.TensorCount);
            Assert.InRange(result.FileBytes, 64L << 20, 65L << 20);
            Assert.True(result.ResidentBytesAfterTouch >= result.ResidentBytesAfterOpen);
            Assert.True(result.OpenMilliseconds > 0 && result.TouchMilliseconds > 0);
            Assert.Empty(Directory.GetFiles(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
