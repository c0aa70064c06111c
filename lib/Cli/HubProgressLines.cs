using Dreambooth.Lab.Hub;

namespace Dreambooth.Lab.Cli;

/// <summary>Shows a download or an upload in the verb's progress, in MiB.</summary>
internal sealed class HubProgressLines(ConsoleProgress.Report report, string title) : IProgress<HubProgress>
{
    private const int MiB = 1 << 20;

    public void Report(HubProgress value)
    {
        var total = (int)((value.BytesTotal + MiB - 1) / MiB);
        report(
            title, value.BytesDone < value.BytesTotal ? Math.Min((int)(value.BytesDone / MiB), total - 1) : total, total, $"MiB, {value}");
    }
}
