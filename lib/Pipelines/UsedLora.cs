using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;

namespace Dreambooth.Lab.Pipelines;

/// <summary>Which LoRA makes a picture, by its contents.</summary>
/// <param name="Name">The file's name, or its folder's where the file has the default name.</param>
/// <param name="Sha256">SHA-256 of the file, in hexadecimal.</param>
/// <param name="Bytes">Its length.</param>
internal sealed record UsedLora(string Name, string Sha256, long Bytes)
{
    /// <summary>The first ten digits, by which Civitai knows the file (AutoV2).</summary>
    public string AutoV2 => Sha256[..10];

    /// <summary>Reads it.</summary>
    /// <param name="path">The LoRA's file, or a folder that holds one.</param>
    /// <exception cref="LabException">It is not there, or cannot be read.</exception>
    public static UsedLora Of(string path)
    {
        var file = LoraFile.Resolve(path);
        try
        {
            RegularFile.Require(file);
            return new UsedLora(NameOf(file), FileHash.Sha256(file), new FileInfo(file).Length);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"The LoRA {file} cannot be read: {error.Message}", error);
        }
    }

    private static string NameOf(string file)
    {
        var name = Path.GetFileName(file);
        return name == LoraFile.DefaultName ? Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(file))) ?? name : name;
    }
}
