using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Profiling;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Cli;

/// <summary><c>memory</c>: what a run will need, predicted from the model's configuration, and, on request, measured.</summary>
internal static class MemoryVerb
{
    public static Command Create(Session session)
    {
        var verb = new Command(
            "memory", "Predicts the memory that a run needs, phase by phase, and which settings would fit cards of several sizes. "
            + "Nothing is loaded: configuration files are enough. Without flags: the DreamBooth tutorial's "
            + "training of Stable Diffusion 3.5-medium.");
        var options = new FlagOptions(verb, MemoryFlags.All);
        verb.SetAction(result =>
        {
            var flags = MemoryFlags.Read(options, result);
            var planner = new MemoryPlanner(flags.Architecture());
            var settings = flags.Settings();
            if (flags.LeftOut(settings) is { } leftOut)
                session.Warn(leftOut);
            var profile = flags.Measure is { } steps ? MeasuredRun(flags.MeasuredRecipe(), steps, settings, session) : null;
            if (flags.Json)
                session.Output.WriteLine(JsonSerializer.Serialize(Report(planner, settings, profile), JsonFile.Options));
            else
                Write(planner, settings, profile, session.Output);
            return ExitCode.Success;
        });
        return verb;
    }

    private static MemoryProfile MeasuredRun(DreamBoothConfig config, int steps, MemorySettings settings, Session session) =>
        ProfiledTraining.Run(
            config with { Memory = settings.Memory },
            steps,
            new GenerationRequest
            {
                Prompts = [config.PerSubject()[0].InstancePrompt],
                NumInferenceSteps = 4,
                NumImagesPerPrompt = settings.SampleBatchSize,
                Width = settings.SampleResolution,
                Height = settings.SampleResolution,
            },
            phase => session.Error.WriteLine($"measuring: {phase}"), session.Cancellation);

    private static object Report(MemoryPlanner planner, MemorySettings settings, MemoryProfile? profile)
    {
        var forecast = planner.Forecast(settings);
        return new
        {
            model = planner.Model.Name,
            components = planner.Model.Components.Select(
                component => new { component.Name, component.Parameters, bytes_float32 = component.BytesAs(ScalarType.Float32) }),
            predicted = true,
            note = MemoryForecast.Note,
            phases = forecast.Phases.Select(
                phase => new { phase.Phase, phase.Total, phase.Exact, phase.Terms, measured = profile?.PeakOf(phase.Phase) }),
            modes = planner.ByMode(settings)
                .Select(mode => new
                {
                    mode = MemoryChoice.Name(mode.Settings),
                    mode.Peak,
                    highest = mode.Highest.Phase,
                    smallest_card_bytes = MemoryPlanner.SmallestCard(mode),
                }),
            measured_figure = profile?.Figure.ToString(),
            peak = forecast.Peak,
            fits = MemoryPlanner.CardSizes.Select(card => (Card: card, Fit: planner.Fit(settings, MemoryPlanner.Usable(card))))
                .Select(fit => new { card_bytes = fit.Card, changes = fit.Fit?.Changes, peak = fit.Fit?.Forecast.Peak }),
            tutorial = PublishedFigures.Tutorial.Select(row => new
            {
                row.Work,
                row.Published,
                predicted = new MemoryPlanner(ModelArchitecture.Sd35Medium).Forecast(row.Settings).Peak,
            }),
        };
    }

    private static void Write(MemoryPlanner planner, MemorySettings settings, MemoryProfile? profile, TextWriter output)
    {
        void Line(FormattableString text) => output.WriteLine(text.ToString(CultureInfo.InvariantCulture));
        var forecast = planner.Forecast(settings);
        Line($"{planner.Model.Name}: {planner.Model.Parameters / 1e6:N1} million numbers");
        foreach (var component in planner.Model.Components)
        {
            var bytes = ByteSize.Text(component.BytesAs(ScalarType.Float32));
            Line($"  {component.Name,-16}{component.Parameters / 1e6,10:N1} M  {bytes,10} in float32");
        }

        output.WriteLine();
        Line($"predicted, by phase        counted  estimated      total{(profile is null ? "" : "   measured")}");
        foreach (var phase in forecast.Phases)
        {
            var measured = profile?.PeakOf(phase.Phase) is { } bytes ? $"{ByteSize.Text(bytes),11}" : string.Empty;
            var (exact, total) = (ByteSize.Text(phase.Exact), ByteSize.Text(phase.Total));
            var estimated = ByteSize.Text(phase.Total - phase.Exact);
            Line($"  {phase.Phase,-20}{exact,12}{estimated,11}{total,11}{measured}");
        }

        Line($"  peak{ByteSize.Text(forecast.Peak),50}");
        output.WriteLine();
        output.WriteLine("by memory mode (--memory of train and generate), predicted");
        foreach (var mode in planner.ByMode(settings))
        {
            var fits = MemoryPlanner.SmallestCard(mode) is { } card ? $"a card of {ByteSize.Text(card)}" : "none of the cards below";
            Line($"  {MemoryChoice.Name(mode.Settings),-36}{ByteSize.Text(mode.Peak),10} ({mode.Highest.Phase}), fits {fits}");
        }

        output.WriteLine();
        output.WriteLine("what would fit");
        foreach (var card in MemoryPlanner.CardSizes)
        {
            var fit = planner.Fit(settings, MemoryPlanner.Usable(card));
            var changes = fit is { Changes.Count: > 0 } ? string.Join(", ", fit.Value.Changes) : "as asked";
            var how = fit is null ? "nothing that the planner knows" : $"{changes} ({ByteSize.Text(fit.Value.Forecast.Peak)})";
            Line($"  {ByteSize.Text(card),9}  {how}");
        }

        output.WriteLine();
        output.WriteLine("the tutorial's table, Stable Diffusion 3.5-medium in float32");
        foreach (var row in PublishedFigures.Tutorial)
        {
            var here = new MemoryPlanner(ModelArchitecture.Sd35Medium).Forecast(row.Settings).Peak;
            Line($"  {row.Work,-34}{row.Published,-52}predicted here {ByteSize.Text(here)}");
        }

        output.WriteLine();
        output.WriteLine(MemoryForecast.Note);
        if (profile is not null)
            output.WriteLine("Measured: " + profile.FigureText);
    }
}
