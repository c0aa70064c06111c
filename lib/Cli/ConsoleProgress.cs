using System.Diagnostics;
using System.Globalization;
using Dreambooth.Lab.Foundation;
using Spectre.Console;

namespace Dreambooth.Lab.Cli;

/// <summary>Progress of long work: bars on a terminal, occasional lines where output goes to a file.</summary>
internal static class ConsoleProgress
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);

    /// <summary>Receives how far a piece of work is.</summary>
    /// <param name="title">What is done, one or two words; each title has a bar of its own.</param>
    /// <param name="done">How much is done.</param>
    /// <param name="total">When it is done.</param>
    /// <param name="note">A few figures (loss, rate), or empty.</param>
    public delegate void Report(string title, int done, int total, string note);

    /// <summary>Runs <paramref name="work"/> and shows its progress.</summary>
    /// <typeparam name="T">What the work gives.</typeparam>
    /// <param name="session">Where to show it.</param>
    /// <param name="work">Receives what to report with.</param>
    public static T Run<T>(Session session, Func<Report, T> work) =>
        session.IsInteractive ? RunWithBars(work) : RunWithLines(session.Output, work);

    private static T RunWithBars<T>(Func<Report, T> work) =>
        AnsiConsole.Progress()
            .HideCompleted(false)
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(),
                new RemainingTimeColumn())
            .Start(context =>
            {
                var tasks = new Dictionary<string, ProgressTask>(StringComparer.Ordinal);
                return work((title, done, total, note) =>
                {
                    if (!tasks.TryGetValue(title, out var task))
                        tasks[title] = task = context.AddTask(Markup.Escape(ShownText.Line(title)), maxValue: Math.Max(total, 1));
                    task.MaxValue = Math.Max(total, 1);
                    task.Value = done;
                    task.Description = Markup.Escape(Describe(title, done, total, note));
                });
            });

    private static T RunWithLines<T>(TextWriter output, Func<Report, T> work)
    {
        var last = new Dictionary<string, long>(StringComparer.Ordinal);
        var first = new Dictionary<string, (long At, int Done)>(StringComparer.Ordinal);
        return work((title, done, total, note) =>
        {
            if (done < total && last.TryGetValue(title, out var at) && Stopwatch.GetElapsedTime(at) < LineInterval)
                return;
            last[title] = Stopwatch.GetTimestamp();
            if (!first.TryGetValue(title, out var start))
                first[title] = start = (last[title], done);
            var left = Left(Stopwatch.GetElapsedTime(start.At), done - start.Done, total - done);
            output.WriteLine(Describe(title, done, total, note) + left);
            output.Flush();
        });
    }

    /// <summary>The time that is left at the pace so far; empty where there is no pace yet, or nothing left.</summary>
    /// <param name="elapsed">Time since the first report.</param>
    /// <param name="done">What was done in it.</param>
    /// <param name="left">What is left.</param>
    internal static string Left(TimeSpan elapsed, int done, int left)
    {
        if (done <= 0 || left <= 0)
            return string.Empty;
        var time = TimeSpan.FromSeconds(Math.Min(Math.Ceiling(elapsed.TotalSeconds / done * left), TimeSpan.MaxValue.TotalSeconds / 2));
        return string.Create(CultureInfo.InvariantCulture, $"  {(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00} left");
    }

    private static string Describe(string title, int done, int total, string note) =>
        string.Create(
            CultureInfo.InvariantCulture, $"{ShownText.Line(title)} {done}/{total}{(note.Length > 0 ? "  " + ShownText.Line(note) : "")}");
}
