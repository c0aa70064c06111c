using System.Globalization;

namespace Dreambooth.Lab.Hub;

/// <summary>How far a download or an upload is.</summary>
/// <param name="BytesDone">Bytes that are here, those of earlier runs included.</param>
/// <param name="BytesTotal">Bytes of all files.</param>
/// <param name="BytesPerSecond">The rate of the last seconds; 0 before there is one.</param>
/// <param name="FilesDone">Files that are whole and verified.</param>
/// <param name="FilesTotal">Files of the download.</param>
public sealed record HubProgress(long BytesDone, long BytesTotal, double BytesPerSecond, int FilesDone, int FilesTotal)
{
    /// <summary>The time that is left at this rate, or null while there is none.</summary>
    public TimeSpan? Remaining =>
        BytesPerSecond > 0 ? TimeSpan.FromSeconds(Math.Min((BytesTotal - BytesDone) / BytesPerSecond, 999 * 3600)) : null;

    /// <summary>Files, rate and time left as one line: "3 of 18 files, 84.2 MiB/s, 0:02:10 left".</summary>
    public override string ToString()
    {
        var files = $"{FilesDone} of {FilesTotal} files";
        return Remaining is not { } left ? files : string.Create(
            CultureInfo.InvariantCulture, $"{files}, {BytesPerSecond / (1 << 20):0.0} MiB/s, {(int)left.TotalHours}:{left:mm\\:ss} left");
    }
}
