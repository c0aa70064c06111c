using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace Dreambooth.Lab.Cli;

/// <summary>How far a long piece of work is: a bar on a terminal, now and then a line where output goes to a file.</summary>
internal static class ConsoleProgress
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);

    /// <summary>Runs <paramref name="work"/> and shows its progress.</summary>
    /// <param name="session">Where to show it.</param>
    /// <param name="title">What is done, one or two words.</param>
    /// <param name="total">When it is done.</param>
    /// <param name="work">Receives what to report with: how much of <paramref name="total"/> is done, and a note (loss, rate).</param>
    public static void Run(Session session, string title, int total, Action<Action<int, string>> work)
    {
        if (session.IsInteractive)
            RunWithBar(title, total, work);
        else
            RunWithLines(session.Output, title, total, work);
    }

    private static void RunWithBar(string title, int total, Action<Action<int, string>> work) =>
        AnsiConsole.Progress()
            .HideCompleted(false)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                var task = context.AddTask(Markup.Escape(title), maxValue: Math.Max(total, 1));
                work((done, note) =>
                {
                    task.Value = done;
                    task.Description = Markup.Escape(Describe(title, done, total, note));
                });
            });

    private static void RunWithLines(TextWriter output, string title, int total, Action<Action<int, string>> work)
    {
        var last = 0L;
        var begun = false;
        work((done, note) =>
        {
            if (begun && done < total && Stopwatch.GetElapsedTime(last) < LineInterval)
                return;
            begun = true;
            last = Stopwatch.GetTimestamp();
            output.WriteLine(Describe(title, done, total, note));
            output.Flush();
        });
    }

    private static string Describe(string title, int done, int total, string note) =>
        string.Create(CultureInfo.InvariantCulture, $"{title} {done}/{total}{(note.Length > 0 ? "  " + note : "")}");
}
