using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Schedulers;

namespace Dreambooth.Lab.Display;

/// <summary>Views inside the model: text, noise, denoising, attention, and what a LoRA changed.</summary>
public static class InsideViews
{
    /// <summary>The models that a pipeline is made of.</summary>
    /// <param name="parts">The parts.</param>
    public static TextTable Table(this IReadOnlyList<PipelinePart> parts) => TextTable.Of(
        parts,
        ("Part", part => part.Name), ("Class", part => part.ClassName),
        ("Parameters", part => part.Parameters.ToString("#,0", CultureInfo.InvariantCulture)),
        ("Memory", part => ByteSize.Text(part.Bytes)));

    /// <summary>A prompt's tokens for each of the pipeline's encoders.</summary>
    /// <param name="encoder">The text encoders.</param>
    /// <param name="prompt">The prompt.</param>
    /// <param name="identifier">The word to mark.</param>
    public static TokenView Tokens(this PromptEncoder encoder, string prompt, string identifier)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        var rows = new List<(string, Tokenizers.ITextTokenizer)> { ("CLIP-L", encoder.Tokenizer), ("CLIP-G", encoder.Tokenizer2) };
        if (encoder.Tokenizer3 is not null)
            rows.Add(("T5", encoder.Tokenizer3));
        return TokenView.Of(prompt, rows, identifier);
    }

    /// <summary>How a prompt is encoded for the transformer: a row for each tensor.</summary>
    /// <param name="pipeline">The models.</param>
    /// <param name="text">The prompt, encoded.</param>
    public static TextTable Shapes(this StableDiffusion3Pipeline pipeline, PromptEmbeddings text)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentNullException.ThrowIfNull(text);
        var (encoder, config) = (pipeline.Prompts, pipeline.Transformer.Config);
        long window = encoder.ClipWindow, all = text.PromptEmbeds.shape[1];
        (string What, string Shape, string Use)[] rows =
        [
            ("CLIP-L tokens", $"{window} × {encoder.Clip.Config.HiddenSize}", "the words in their order, as the first CLIP sees them"),
            ("CLIP-G tokens", $"{window} × {encoder.Clip2.Config.HiddenSize}",
                "the same for the second, larger CLIP; both stand side by side, filled up with zeros"),
            ("T5 tokens", $"{all - window} × {config.JointAttentionDim}",
                encoder.T5 is null ? "zeros: there is no T5" : "a language model's view of the sentence: spelling, grammar, counting"),
            ("context", $"{all} × {config.JointAttentionDim}", "CLIP's rows, then T5's: what image tokens attend to in every block"),
            ("pooled", $"{text.PooledPromptEmbeds.shape[1]}",
                "one vector for the whole prompt; with the noise level it steers every block's scales and gates"),
        ];
        return TextTable.Of(rows, ("Tensor", row => row.What), ("Shape", row => row.Shape), ("What it is for", row => row.Use));
    }

    /// <summary>How similar prompts are.</summary>
    /// <param name="similarity">The comparison.</param>
    public static TextTable Table(this PromptSimilarity similarity)
    {
        ArgumentNullException.ThrowIfNull(similarity);
        return new TextTable
        {
            Title = "Cosine of the pooled embeddings",
            Columns = [string.Empty, .. similarity.Prompts.Select(prompt => ShownText.Line(prompt))],
            Rows = [.. similarity.Prompts.Select(
                (prompt, i) => (IReadOnlyList<string>)[ShownText.Line(prompt),
                    .. similarity.Prompts.Select((_, j) => Text(similarity.Cosines[i, j], "0.000"))])],
        };
    }

    /// <summary>The noise level of every sampling step, for several shifts.</summary>
    /// <param name="scheduler">The model's own schedule; its shift is named.</param>
    /// <param name="steps">Sampling steps.</param>
    /// <param name="shifts">Other shifts to compare with.</param>
    public static LineChart Chart(this FlowMatchEulerDiscreteSchedulerConfig scheduler, int steps, params double[] shifts)
    {
        ArgumentNullException.ThrowIfNull(scheduler);
        ChartSeries Curve(double shift)
        {
            var schedule = new FlowMatchEulerDiscreteScheduler(scheduler with { Shift = shift });
            schedule.SetTimesteps(steps);
            var name = Text(shift, "shift 0.##") + (shift == scheduler.Shift ? ", this model" : string.Empty);
            return ChartSeries.Of(
                name, Enumerable.Range(0, steps + 1).Select(i => (double)i),
                schedule.Sigmas.Select(sigma => (double)sigma)) with
            { Mark = ChartMark.LineAndPoints };
        }

        return new LineChart
        {
            Title = "Noise left after each step",
            XTitle = "steps done",
            YTitle = "σ",
            FromZero = true,
            Series = [.. shifts.Append(scheduler.Shift).Distinct().Order().Select(Curve)],
        };
    }

    /// <summary>One picture at several noise levels.</summary>
    /// <param name="pictures">The mixtures in order.</param>
    public static ImageGrid Grid(this IReadOnlyList<NoisyPicture> pictures)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        return ImageGrid.Of(
            pictures.Select(noisy => GridCell.Of(noisy.Picture, Text(noisy.Sigma, "σ 0.00"))), pictures.Count) with
        { CellSize = 118 };
    }

    /// <summary>A picture's denoising: above the latents, below the model's estimate of the finished picture.</summary>
    /// <param name="moments">The moments in order.</param>
    public static ImageGrid Grid(this IReadOnlyList<DenoisingMoment> moments)
    {
        ArgumentNullException.ThrowIfNull(moments);
        return new ImageGrid
        {
            RowHeadings = ["as it is", "as foreseen"],
            ColumnHeadings = [.. moments.Select(moment => Text(moment.Sigma, "σ 0.00"))],
            Rows =
            [
                [.. moments.Select(moment => GridCell.Of(moment.Noisy, string.Empty, $"after {moment.Step} steps"))],
                [.. moments.Select(moment => GridCell.Of(moment.Estimate, string.Empty, $"foreseen after {moment.Step} steps"))],
            ],
            CellSize = 112,
        };
    }

    /// <summary>Generates a picture, records its attention to words of its prompt, and shows progress in the cell's output.</summary>
    /// <param name="pipeline">The models.</param>
    /// <param name="request">What to generate; one prompt and one picture.</param>
    /// <param name="words">Words as they stand in the prompt.</param>
    /// <returns>One entry for each word.</returns>
    /// <exception cref="LabException">A word is not in the prompt, or several pictures are asked for.</exception>
    public static IReadOnlyList<TokenAttention> RecordAttention(
        this StableDiffusion3Pipeline pipeline, GenerationRequest request, params IReadOnlyList<string> words)
    {
        ArgumentNullException.ThrowIfNull(request);
        var bar = new ProgressBar { Total = request.NumInferenceSteps, Label = "recording attention", Unit = "steps" };
        using var live = LiveView.Show(bar);
        return TokenAttention.Record(pipeline, request, words, onStep: step => live.Update(bar with { Done = step.Step }));
    }

    /// <summary>
    /// Attention to words: the picture, and over it each word's share of the attention, every map stretched to its own range.
    /// </summary>
    /// <param name="words">The recorded words.</param>
    public static ImageGrid Grid(this IReadOnlyList<TokenAttention> words)
    {
        ArgumentNullException.ThrowIfNull(words);
        return ImageGrid.Of(
            words.Select(word => Overlay(word.Picture, word.Mean, $"“{word.Word}”")).Prepend(GridCell.Of(words[0].Picture, "the picture")),
            words.Count + 1) with
        { CellSize = 150 };
    }

    /// <summary>Attention to a word, block by block.</summary>
    /// <param name="word">The recorded word.</param>
    public static ImageGrid ByBlock(this TokenAttention word)
    {
        ArgumentNullException.ThrowIfNull(word);
        return ImageGrid.Of(
            word.Blocks.Select((block, i) => Overlay(word.Picture, word.Maps[i], $"block {block}")),
            Math.Min(8, word.Blocks.Count)) with
        { CellSize = 116 };
    }

    /// <summary>How much a LoRA changed each block of a model.</summary>
    /// <param name="changes">Every layer's change.</param>
    /// <param name="component">The model's prefix.</param>
    public static BarChart Chart(this IReadOnlyList<LoraLayerChange> changes, string component)
    {
        var blocks = LoraChange.ByBlock(changes, component);
        return new BarChart
        {
            Title = $"How far each block of the {component} moved",
            YTitle = "size of the update, % of the weights",
            Categories = [.. blocks.Select(block => block.Path)],
            Series = [ChartSeries.Of("LoRA", blocks.Select(block => 100 * block.Relative))],
            Height = 180,
        };
    }

    /// <summary>The layers that a LoRA changed most.</summary>
    /// <param name="changes">Every layer's change.</param>
    /// <param name="most">Rows, 1 or more.</param>
    public static TextTable Table(this IReadOnlyList<LoraLayerChange> changes, int most = 8)
    {
        ArgumentNullException.ThrowIfNull(changes);
        return TextTable.Of(
            changes.OrderByDescending(change => change.Relative).Take(most),
            ("Model", change => change.Component), ("Layer", change => change.Path), ("Update", change => Text(change.UpdateNorm, "0.00")),
            ("Weight", change => Text(change.WeightNorm, "0.00")), ("Changed by", change => Text(100 * change.Relative, "0.0") + " %")) with
        { Note = $"Frobenius norms; the {Math.Min(most, changes.Count)} of {changes.Count} layers that moved furthest." };
    }

    /// <summary>One noise at several strengths of a LoRA: the pictures, and where they differ from the one without.</summary>
    /// <param name="strengths">The pictures.</param>
    public static ImageGrid Grid(this IReadOnlyList<LoraStrength> strengths)
    {
        ArgumentNullException.ThrowIfNull(strengths);
        return new ImageGrid
        {
            RowHeadings = ["generated", "difference"],
            ColumnHeadings = [.. strengths.Select(strength => Text(strength.Weight, "scale 0.##"))],
            Rows =
            [
                [.. strengths.Select(strength => GridCell.Of(strength.Picture))],
                [.. strengths.Select(strength => GridCell.Of(strength.Difference.Image, Text(strength.Difference.Mean, "mean 0.0")))],
            ],
            CellSize = 128,
        };
    }

    /// <summary>What must hold for any model: three pairs of pictures that must be equal, with their mean difference, 0 … 255.</summary>
    /// <param name="moments">A way from noise, without the LoRA.</param>
    /// <param name="attention">Attention, with the LoRA at scale 1.</param>
    /// <param name="strengths">The same noise at several strengths, scales 0 and 1 among them.</param>
    public static TextTable Beside(
        IReadOnlyList<DenoisingMoment> moments, IReadOnlyList<TokenAttention> attention, IReadOnlyList<LoraStrength> strengths)
    {
        ArgumentNullException.ThrowIfNull(moments);
        ArgumentNullException.ThrowIfNull(attention);
        ArgumentNullException.ThrowIfNull(strengths);
        RgbImage At(double weight) => strengths.Single(strength => strength.Weight == weight).Picture;
        static string Difference(RgbImage first, RgbImage second) => Text(PictureDifference.Between(first, second).Mean, "0.0");
        return new TextTable
        {
            Columns = ["What", "Expected", "Measured"],
            Rows =
            [
                ["difference of the last picture and the last foreseen one", "0.0", Difference(moments[^1].Noisy, moments[^1].Estimate)],
                ["scale 0 beside the model before the LoRA was loaded", "0.0", Difference(moments[^1].Noisy, At(0))],
                ["scale 1 beside the picture whose attention was recorded", "0.0", Difference(attention[0].Picture, At(1))],
            ],
        };
    }

    private static GridCell Overlay(RgbImage picture, double[,] map, string caption)
    {
        var values = map.Cast<double>().ToArray();
        var (low, high) = (values.Min(), values.Max());
        var stretched = new double[map.GetLength(0), map.GetLength(1)];
        for (var i = 0; i < values.Length; i++)
            stretched[i / map.GetLength(1), i % map.GetLength(1)] = high > low ? (values[i] - low) / (high - low) : 0;
        return GridCell.Of(
            new AttentionOverlay
            {
                Picture = picture,
                Map = stretched,
            }.ToImage(), caption, $"{Text(100 * low, "0.0")} to {Text(100 * high, "0.0")} % of a patch's attention");
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
