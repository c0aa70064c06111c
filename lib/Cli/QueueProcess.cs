using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Cli;

/// <summary>A training of a queue as a process of this program.</summary>
internal static class QueueProcess
{
    private const int LinesKept = 20;
    private const string ErrorMark = "error: ";

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    /// <summary>Does it.</summary>
    /// <param name="config">What it does.</param>
    /// <param name="folder">Where its recipe is put meanwhile.</param>
    /// <param name="ranks">Ranks that train together; null for one.</param>
    /// <param name="session">Where its errors go; its cancellation ends it after the step at hand.</param>
    /// <param name="meanwhile">Called again and again while it runs.</param>
    public static (int Code, string? Message) Train(
        DreamBoothConfig config, string folder, int? ranks, Session session, Action meanwhile)
    {
        var recipe = Path.Combine(folder, ".queue.recipe.json");
        AtomicFile.WriteAllText(recipe, config.ToJson());
        var lines = new Queue<string>();
        try
        {
            string[] arguments =
                ["train", "--config", recipe, .. ranks is { } count ? [$"--num_processes={count}"] : Array.Empty<string>()];
            using var process = RankProcess.Start(
                [.. RankProcesses.Program, .. arguments], new Dictionary<string, string> { [RankProcesses.Variable] = "1" }, shown: true,
                line => Keep(lines, line, session));
            for (var told = false; !process.HasEnded;)
            {
                if (!told && session.Cancellation.IsCancellationRequested)
                {
                    told = true;
                    process.Cancel();
                }

                meanwhile();
                Thread.Sleep(Look);
            }

            return process.Code switch
            {
                ExitCode.Success or ExitCode.Cancelled => (process.Code, null),
                var code => (code, Reason(process, lines)),
            };
        }
        finally
        {
            LockFile.Try(() => File.Delete(recipe));
        }
    }

    private static string Reason(RankProcess process, Queue<string> lines)
    {
        process.WaitForLines();
        lock (lines)
        {
            var from = lines.ToList().FindLastIndex(line => line.StartsWith(ErrorMark, StringComparison.Ordinal));
            return from >= 0 ? string.Join('\n', lines.Skip(from))[ErrorMark.Length..]
                : process.WasSignalled ? $"It was ended by signal {process.Code - RankProcess.FirstSignal}."
                : lines.Count > 0 ? string.Join('\n', lines) : $"It ended with exit code {process.Code}.";
        }
    }

    private static void Keep(Queue<string> lines, string line, Session session)
    {
        session.Error.WriteLine(line);
        lock (lines)
        {
            lines.Enqueue(line);
            if (lines.Count > LinesKept)
                lines.Dequeue();
        }
    }
}
