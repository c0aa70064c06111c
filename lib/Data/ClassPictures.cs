using System.Globalization;
using System.Security.Cryptography;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Data;

/// <summary>
/// Fills the class folder of prior preservation to a given number of pictures. Files are named as the reference names them,
/// <c>INDEX-SHA1.jpg</c> (SHA-1 of the RGB bytes); the index continues after the highest existing one. No other run writes to it meanwhile.
/// </summary>
public static class ClassPictures
{
    /// <summary>Counts the usable pictures and generates what is missing.</summary>
    /// <param name="folder">The class folder; created when missing.</param>
    /// <param name="wanted">How many pictures there shall be, at least 1; more may be there already.</param>
    /// <param name="generate">
    /// Given how many are missing and the first index, yields that many pictures. They are written one by one as they come, so that an
    /// interrupted run keeps what it has; more than asked for are not taken.
    /// </param>
    /// <param name="onBadImage">What happens with files in the folder that cannot be used; they never count.</param>
    /// <param name="minSize">Pixels that the shorter side of a picture must have to count.</param>
    /// <param name="note">What is kept in the file of the picture with an index; null for nothing.</param>
    /// <param name="onSaved">Told how many of how many missing pictures are on disk.</param>
    /// <param name="noteInFile">Whether the files keep the notes; if not, a hidden log in the folder does.</param>
    /// <param name="cancellation">Checked before each picture.</param>
    /// <returns>How many pictures were generated.</returns>
    /// <exception cref="LabException">
    /// The generator yields too few pictures, the folder holds bad files that are refused, or it cannot be written to or is in use.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled; pictures written so far stay.</exception>
    public static int TopUp(
        string folder,
        int wanted,
        Func<int, int, IEnumerable<RgbImage>> generate,
        BadImagePolicy onBadImage = BadImagePolicy.Refuse,
        int minSize = 1,
        Func<int, string>? note = null,
        Action<int, int>? onSaved = null,
        bool noteInFile = true,
        CancellationToken cancellation = default)
    {
        cancellation = cancellation.OrAmbient();
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(generate);
        if (wanted < 1)
            throw new LabException($"{wanted} class pictures are asked for; at least 1 is needed.");
        if (Directory.Exists(folder) && Missing() <= 0)
            return 0;
        cancellation.ThrowIfCancellationRequested();
        using var held = RunFolder.Open(folder, "class pictures", "class_data_dir", cancellation: cancellation);
        held.ClearLeftovers();
        var missing = Missing();
        var first = NextIndex(folder);
        var index = first;
        foreach (var image in generate(missing, first).Take(missing))
        {
            cancellation.ThrowIfCancellationRequested();
            var path = Path.Combine(folder, FileName(index, image));
            if (note is null)
                ImageEncoder.Save(path, image);
            else
                PictureNotes.Save(path, image, note(index), null, noteInFile);
            index++;
            onSaved?.Invoke(index - first, missing);
        }

        return index - first == Math.Max(missing, 0)
            ? index - first
            : throw new LabException($"Only {index - first} of the {missing} missing class pictures for {folder} were generated.");

        int Missing() => wanted - PictureFolder.Read(folder, onBadImage, minSize).Pictures.Count;
    }

    private static string FileName(int index, RgbImage image)
    {
        // The name only tells pictures apart, as the reference's does.
#pragma warning disable CA5350
        var hash = SHA1.HashData(image.Pixels);
#pragma warning restore CA5350
        return string.Create(CultureInfo.InvariantCulture, $"{index}-{Convert.ToHexStringLower(hash)}.jpg");
    }

    /// <summary>The number of files, or one more than the highest index in a name, whichever is larger.</summary>
    private static int NextIndex(string folder)
    {
        var names = Directory.GetFiles(folder).Select(path => Path.GetFileName(path)!).Where(name => !name.StartsWith('.')).ToArray();
        var indices = names.Select(
            name => int.TryParse(name.Split('-')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : -1);
        return Math.Max(names.Length, indices.DefaultIfEmpty(-1).Max() + 1);
    }
}
