using Dreambooth.Lab.Display;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tokenizers;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Display;

/// <summary>One view of every kind, with a given text in the place of every text.</summary>
internal static class ViewSamples
{
    private static readonly DateTimeOffset _noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Every kind of view once.</summary>
    /// <param name="text">Stands wherever a text is given.</param>
    public static IEnumerable<(string Name, HtmlView View)> All(string text)
    {
        yield return ("facts", new FactList([(text, text), ("steps", "350")]));
        yield return ("table", new TextTable { Title = text, Columns = [text, "GiB"], Rows = [[text, "36.0"], ["b", "–"]], Note = text });
        yield return ("grid", Grid(text));
        yield return ("loss", Loss(350) with { Title = text, Caption = text });
        yield return ("memory-chart", Memory(text));
        yield return ("memory-table",
            new MemoryTable
            {
                Title = text,
                Note = text,
                Rows = [new MemoryRow(text, 5L << 30, 6L << 30, null, text), new MemoryRow("b", 300L << 20, null, 1L << 30, "measured")],
            });
        yield return ("config", ConfigTable.Of(Config with { InstancePrompt = text, Rank = 16, OutputDir = text }) with { Title = text });
        yield return ("progress", Progress(text));
        yield return ("tokens", TokenView.Of(text, [(text, new LetterTokenizer())], "gmc", 77));
        yield return ("overlay", Overlay(text));
        yield return ("lines", Lines(text));
        yield return ("bars", Bars(text));
        yield return ("scatter", Scatter(text));
        yield return ("rating", Rating(text));
        yield return ("rating-done", Rating(text).Choose("left").Choose("tie"));
    }

    public static DreamBoothConfig Config { get; } = new()
    {
        PretrainedModelNameOrPath = "data/sd3-mini",
        InstanceDataDir = "data/cat_gmc",
        InstancePrompt = "a photo of gmc cat",
    };

    public static StepRecord Step(int step, double loss = 0.5) => new()
    {
        Step = step,
        Epoch = 0,
        Loss = loss,
        InstanceLoss = loss * 0.9,
        PriorLoss = loss * 0.6,
        LearningRate = 5e-4 * Math.Min(1, step / 100.0),
        TextEncoderLr = 1e-4 * Math.Min(1, step / 100.0),
        GradNorm = 1,
        Seconds = 0.1,
        ImagesPerSecond = 40,
    };

    public static LossPlot Loss(int steps)
    {
        var random = new Random(7);
        return new LossPlot
        {
            Records =
                [.. Enumerable.Range(1, steps)
                    .Select(
                        step => Step(
                            step, (0.12 + (0.5 * Math.Exp(-step / 90.0))) * (0.5 + random.NextDouble() + (random.NextDouble() < 0.02
                                ? 2
                                : 0))))],
            Validation = [.. Enumerable.Range(0, 8).Select(i => (i * steps / 8, 0.1 + (0.45 * Math.Exp(-i / 2.0))))],
        };
    }

    public static MemoryChart Memory(string text) => new()
    {
        Title = text,
        Caption = text,
        Kind = "planned, allocated",
        MeasuredName = "measured peak, allocated",
        Limit = 24L << 30,
        Measured = [null, 11L << 30, (14L << 30) + (700L << 20), 7L << 30],
        Phases =
        [
            new MemoryChartPhase("encode prompts and pictures", [new(text, 10L << 30), new("autoencoder", 400L << 20)]),
            new MemoryChartPhase(
                "train: forward", [new("transformer", 5L << 30), new("LoRA and optimizer", 300L << 20), new("activations", 5L << 30)]),
            new MemoryChartPhase(
                "train: backward", [new("transformer", 5L << 30), new("LoRA and optimizer", 300L << 20), new("activations", 9L << 30)]),
            new MemoryChartPhase(text, [new("transformer", 5L << 30), new("autoencoder", 400L << 20), new("activations", 1L << 30)]),
        ],
    };

    public static ProgressBar Progress(string text) => new()
    {
        Label = text,
        Total = 350,
        Done = 140,
        Unit = "steps",
        Note = text,
        Started = _noon,
        Now = _noon.AddSeconds(70),
    };

    public static LineChart Lines(string text) => new()
    {
        Title = text,
        XTitle = text,
        YTitle = text,
        Caption = text,
        Series =
        [
            ChartSeries.Of(text, Enumerable.Range(0, 29).Select(i => (double)i), Enumerable.Range(0, 29).Select(i => 1 - (i / 28.0))),
            ChartSeries.Of(
                "shift 3", Enumerable.Range(0, 29).Select(i => (double)i),
                Enumerable.Range(0, 29).Select(i => 3 * (1 - (i / 28.0)) / (1 + (2 * (1 - (i / 28.0)))))),
            ChartSeries.Of(
                "halves", Enumerable.Range(0, 29).Select(i => (double)i),
                Enumerable.Range(0, 29).Select(i => Math.Pow(0.5, i / 6.0))) with { Mark = ChartMark.Dashed },
        ],
    };

    public static BarChart Bars(string text) => new()
    {
        Title = text,
        YTitle = text,
        Caption = text,
        Categories = [text, "setting", "outfit", "accessory", "painted as"],
        Series =
        [
            ChartSeries.Of(text, [0.81, 0.77, 0.66, 0.71, 0.9]),
            ChartSeries.Of("prompt adherence", [0.92, 0.94, 0.88, 0.75, 0.6]),
            ChartSeries.Of("both", [0.77, 0.74, 0.6, 0.63, 0.58]),
        ],
    };

    public static ScatterChart Scatter(string text) => new()
    {
        Title = text,
        XTitle = "prompt adherence, 0 … 1",
        YTitle = "subject fidelity, 0 … 1",
        Caption = text,
        Series =
        [
            ChartSeries.Of(
                text, [0.91, 0.86, 0.8, 0.71, 0.6],
                [0.42, 0.6, 0.71, 0.78, 0.8]) with { Labels = [.. Enumerable.Range(0, 5).Select(i => $"{text} {i}")] },
            ChartSeries.Of("step 350", [0.93, 0.9, 0.85, 0.76, 0.66], [0.5, 0.7, 0.8, 0.86, 0.88]),
        ],
    };

    public static ImageGrid Grid(string text) => new()
    {
        Title = text,
        RowHeadings = [text, "a photo of gmc cat on a boat"],
        ColumnHeadings = ["seed 1", text, "seed 1", text],
        ColumnGroups = [("before", 2), (text, 2)],
        Rows = [[.. Enumerable.Range(0, 4).Select(i => GridCell.Of(Picture(i), string.Empty, text))],
            [.. Enumerable.Range(4, 3).Select(i => GridCell.Of(Picture(i), text, text))]],
    };

    public static AttentionOverlay Overlay(string text)
    {
        var map = new double[8, 8];
        for (var i = 0; i < 64; i++)
            map[i / 8, i % 8] = Math.Exp(-(Math.Pow((i / 8) - 4.2, 2) + Math.Pow((i % 8) - 3.4, 2)) / 5);
        return new AttentionOverlay { Picture = Picture(0), Map = map, Title = text, Range = (text, "0.031"), SideBySide = true };
    }

    public static ComparisonRating Rating(string text) => new()
    {
        Pairs = [.. Enumerable.Range(0, 2)
            .Select(
                i => new ComparisonPair(
                    GridCell.Of(Picture(2 * i), "first", "first"), GridCell.Of(Picture((2 * i) + 1), "second", "second"), text))],
        FirstName = text,
        SecondName = "LoRA scale 1.0",
        Seed = 5,
    };

    public static RgbImage Picture(int i) =>
        ImageDecoder.Load(Path.Combine(GoldenSet.RepositoryRoot, "data", "cat_gmc", $"gmc_{i:000}.png"));

    /// <summary>A token for each letter, between a first and a last one.</summary>
    private sealed class LetterTokenizer : ITextTokenizer
    {
        public int ModelMaxLength => 77;

        public int PadTokenId => 1;

        public int? EosTokenId => 1;

        public IReadOnlyList<int> Encode(string text) => [0, .. text.Select(letter => letter + 2), 1];

        public long[] EncodePadded(string text, int maxLength)
        {
            long[] ids = [.. Encode(text).Take(maxLength - 1).Select(id => (long)id)];
            return [.. ids, .. Enumerable.Repeat(1L, maxLength - ids.Length)];
        }

        public string Token(int id) => id switch { 0 => "<|startoftext|>", 1 => "<|endoftext|>", _ => TokenText(id) };

        public string TokenText(int id) => id < 2 ? string.Empty : ((char)(id - 2)).ToString();
    }
}
