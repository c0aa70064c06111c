using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Kernel.Notebooks;

namespace Dreambooth.Lab.Cli;

/// <summary><c>run</c>: notebooks from their first cell to their last, without Jupyter.</summary>
internal static class RunVerb
{
    // Thirty days; timers hold little more.
    private const int MostSeconds = 30 * 24 * 3600;

    public static Command Create(Session session)
    {
        var notebooks = new Argument<string[]>("NOTEBOOK")
        {
            Description = "Notebooks, folders or patterns such as 'notebooks/0*.ipynb'.",
            Arity = ArgumentArity.OneOrMore,
        };
        var parameters = new Option<string[]>(
            "--parameter", "-p")
        { Description = "A parameter as name=value; may be given several times." };
        var output = new Option<string?>("--output") { Description = "Write the executed notebooks into this folder." };
        var inPlace = new Option<bool>("--in-place") { Description = "Write the outputs into the notebooks themselves." };
        var timeout = new Option<double?>("--timeout") { Description = "Seconds that one cell may take; default no limit." };
        var allow = new Option<bool>("--allow-errors") { Description = "Continue after a failed cell; the run counts as a success." };
        var quiet = new Option<bool>("--quiet") { Description = "Print failures and one line for each notebook only." };
        var check = new Option<bool>("--check")
        {
            Description = "Execute nothing; check whether the outputs in the files come from one complete run of their current code. "
                + "The exit code is 1 when not.",
        };
        var engine = new Option<string>("--engine")
        {
            Description =
                "'own' (the default), or 'official': compare with .NET Interactive's kernel cell by cell; no notebook is written.",
            DefaultValueFactory = _ => "own",
        };
        engine.AcceptOnlyFromAmong("own", "official");
        var verb = new Command(
            "run", "Runs C# notebooks from first cell to last, without Jupyter. The exit code is 1 when a cell failed, which is shown.")
        {
            notebooks, parameters, output, inPlace, timeout, allow, quiet, check, engine,
        };
        verb.SetAction(result => KernelVerb.Guarded(() =>
        {
            var folder = result.GetValue(output);
            if (folder is not null && result.GetValue(inPlace))
                throw new UsageException("--output and --in-place exclude each other; give one of them.");
            if (result.GetValue(check))
            {
                if (folder is not null || result.GetValue(inPlace) || result.GetValue(parameters) is { Length: > 0 })
                    throw new UsageException("--check executes nothing; it goes with neither --output, --in-place nor --parameter.");
                return CheckAll(session, NotebookFiles.Find(result.GetValue(notebooks)!));
            }

            var options = new RunOptions
            {
                Parameters = Parameters(result.GetValue(parameters) ?? []),
                CellTimeout = Timeout(result.GetValue(timeout)),
                AllowErrors = result.GetValue(allow),
            };
            var files = NotebookFiles.Find(result.GetValue(notebooks)!);
            if (result.GetValue(engine) == "official")
            {
                if (folder is not null || result.GetValue(inPlace))
                    throw new UsageException("--engine official writes no notebook; it goes with neither --output nor --in-place.");
                return CompareAll(session, files, options);
            }

            if (folder is not null && files.GroupBy(Path.GetFileName).FirstOrDefault(same => same.Count() > 1) is { } same)
                throw new UsageException(
                    $"Two notebooks would be written to {Path.Combine(folder, same.Key!)}: {string.Join(" and ", same)}. "
                    + "Run them one by one.");
            return RunAll(
                session, files, options,
                file => result.GetValue(inPlace) ? file : folder is null ? null : Path.Combine(folder, Path.GetFileName(file)),
                result.GetValue(quiet));
        }));
        return verb;
    }

    private static int CheckAll(Session session, IReadOnlyList<string> files)
    {
        var failed = 0;
        foreach (var file in files)
        {
            var findings = NotebookCheck.Of(file);
            foreach (var finding in findings)
                session.Error.WriteLine($"{file}: {finding}");
            session.Output.WriteLine($"{file}: {(findings.Count == 0 ? "ok" : "NOT IN ORDER")}");
            failed += findings.Count == 0 ? 0 : 1;
        }

        if (failed > 0)
            session.Error.WriteLine("`run NOTEBOOK --in-place` executes a notebook and writes its outputs.");
        return failed == 0 ? ExitCode.Success : ExitCode.Failure;
    }

    private static int CompareAll(Session session, IReadOnlyList<string> files, RunOptions options)
    {
        var failed = 0;
        foreach (var file in files)
        {
            var cells = new OfficialRunner(KernelVerb.HeadlessLaunch, options).Run(file, session.Cancellation);
            foreach (var (cell, source, differences, _) in cells)
            {
                var found = differences.Count == 0 ? "same" : string.Join("; ", differences);
                session.Output.WriteLine(
                    FormattableString.Invariant($"[{cell}/{cells.Count}] {source.Trim().Split('\n')[0].Trim()}: {found}"));
            }

            var failures = cells.Count(c => c.Failed);
            var differ = cells.Count(c => c.Differences.Count > 0);
            session.Output.WriteLine(FormattableString.Invariant(
                $"{file}: {cells.Count} cells, {differ} differ, {failures} fail on the official kernel"));
            failed += failures;
        }

        return failed == 0 ? ExitCode.Success : ExitCode.Failure;
    }

    private static int RunAll(Session session, IReadOnlyList<string> files, RunOptions options, Func<string, string?> target, bool quiet)
    {
        var failed = 0;
        foreach (var file in files)
        {
            var clock = System.Diagnostics.Stopwatch.StartNew();
            var runner = new NotebookRunner(KernelVerb.HeadlessLaunch, options);
            var path = target(file);
            if (path is not null)
                TryToWrite(path);
            Action<NotebookDocument>? save = path is null ? null : notebook => notebook.Save(path);
            var text = new CellText(session);
            var result = runner.Run(file, progress => Show(session, text, progress, quiet), save, session.Cancellation);
            foreach (var failure in result.Failures)
                session.Error.WriteLine($"{file}: cell {failure.Cell} failed:\n{Indented(failure.Source)}\n{failure.Message}");
            if (path is not null)
                result.Notebook.Save(path);
            var state = result.Failures.Count > 0 && !options.AllowErrors ? "FAILED" : "ok";
            session.Output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{file}: {state}, {result.CellsRun} cells, {result.Failures.Count} failed, {clock.Elapsed.TotalSeconds:0.0} s"));
            failed += state == "ok" ? 0 : 1;
        }

        return failed == 0 ? ExitCode.Success : ExitCode.Failure;
    }

    // Before the first cell: the results of hours must have a place.
    private static void TryToWrite(string path)
    {
        var probe = AtomicFile.TemporaryBeside(path);
        var folder = Path.GetDirectoryName(probe)!;
        try
        {
            Directory.CreateDirectory(folder);
            NotebookDocument.DeleteLeftovers(path);
            File.WriteAllText(probe, " ");
            File.Delete(probe);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"{path} cannot be written, and no cell was run: {error.Message}", error);
        }
    }

    private static void Show(Session session, CellText text, RunProgress progress, bool quiet)
    {
        if (quiet)
            return;
        if (progress.Text.Length > 0)
        {
            text.Write(progress.Text);
        }
        else if (progress.Elapsed is null)
        {
            session.Output.WriteLine($"[{progress.Cell}/{progress.CellCount}] {progress.Source.Trim().Split('\n')[0].Trim()}");
        }
        else
        {
            text.End();
            session.Output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"      {(progress.Failed ? "failed after" : "took")} {progress.Elapsed.Value.TotalSeconds:0.00} s"));
        }
    }

    private static TimeSpan? Timeout(double? seconds) => seconds switch
    {
        null => null,
        > 0 and <= MostSeconds => TimeSpan.FromSeconds(seconds.Value),
        _ => throw new UsageException(string.Create(
            CultureInfo.InvariantCulture, $"--timeout is {seconds}; valid is more than 0 and at most {MostSeconds} seconds.")),
    };

    private static Dictionary<string, string> Parameters(string[] pairs)
    {
        var result = new Dictionary<string, string>();
        foreach (var pair in pairs)
        {
            var sign = pair.IndexOf('=', StringComparison.Ordinal);
            if (sign <= 0)
                throw new UsageException($"'{pair}' is no parameter; write --parameter name=value.");
            result[pair[..sign]] = pair[(sign + 1)..];
        }

        return result;
    }

    private static string Indented(string text) => string.Join('\n', text.Split('\n').Select(line => "    " + line));
}
