using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Tokenizers;

namespace Dreambooth.Lab.Tests.Evaluation;

public sealed class MiniatureFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public MiniatureFolderTests()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "vae"));
        File.WriteAllBytes(Weights, [.. Enumerable.Range(0, 1000).Select(i => (byte)i)]);
        File.WriteAllText(Path.Combine(_folder.Path, "model_index.json"), "{}");
        File.WriteAllText(Path.Combine(_folder.Path, "README.md"), "for readers");
        MiniatureFolder.WriteManifest(_folder.Path);
    }

    private string Weights => Path.Combine(_folder.Path, "vae", "weights.safetensors");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Verify_UntouchedFolder_Passes()
    {
        File.WriteAllText(Path.Combine(_folder.Path, "README.md"), "another text for readers");
        MiniatureFolder.Verify(_folder.Path);
    }

    [Fact]
    public void Verify_OneByteChanged_IsRefused()
    {
        var bytes = File.ReadAllBytes(Weights);
        bytes[700] ^= 1;
        File.WriteAllBytes(Weights, bytes);
        var error = Assert.Throws<LabException>(() => MiniatureFolder.Verify(_folder.Path));
        Assert.Contains("vae/weights.safetensors", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("model_index.json", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_MissingAndShortenedFiles_AreAllNamed()
    {
        File.Delete(Path.Combine(_folder.Path, "model_index.json"));
        File.WriteAllBytes(Weights, new byte[10]);
        var error = Assert.Throws<LabException>(() => MiniatureFolder.Verify(_folder.Path));
        Assert.Contains("model_index.json is missing", error.Message, StringComparison.Ordinal);
        Assert.Contains("10 bytes instead of 1000", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_NoManifest_IsRefused()
    {
        File.Delete(Path.Combine(_folder.Path, MiniatureFolder.ManifestName));
        Assert.Throws<LabException>(() => MiniatureFolder.Verify(_folder.Path));
        MiniatureFolder.VerifyIfListed(_folder.Path);
    }

    [Fact]
    public void VerifyIfListed_ListedFolder_IsChecked()
    {
        File.Delete(Weights);
        Assert.Throws<LabException>(() => MiniatureFolder.VerifyIfListed(_folder.Path));
    }

    [Theory]
    [InlineData("sd3-mini")]
    [InlineData("sd3-mini-classifier")]
    [InlineData("sd3-mini-encoders/dino")]
    [InlineData("sd3-mini-encoders/clip")]
    public void Verify_ShippedFolders_AreWhole(string name)
    {
        var folder = Path.Combine(GoldenSet.RepositoryRoot, "data", name);
        MiniatureFolder.Verify(folder);
        var weights = Directory.GetFiles(folder, "*.safetensors", SearchOption.AllDirectories).Sum(path => new FileInfo(path).Length);
        Assert.InRange(weights, 200_000, name == "sd3-mini" ? 24_000_000 : 2_000_000);
    }
}
