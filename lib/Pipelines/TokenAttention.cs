using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Pipelines;

/// <summary>
/// Where in the picture the model attends to a word: of each image token's attention, the part that goes to the word's text
/// tokens (CLIP's and T5's), averaged over heads and recorded steps.
/// </summary>
/// <param name="Word">The word.</param>
/// <param name="Picture">The finished picture.</param>
/// <param name="Blocks">The recorded blocks, in order.</param>
/// <param name="Maps">
/// For each block: parts of attention, 0 to 1, rows of the picture's patches from the top, <c>[H/16, W/16]</c> for published models.
/// </param>
public sealed record TokenAttention(string Word, RgbImage Picture, IReadOnlyList<int> Blocks, IReadOnlyList<double[,]> Maps)
{
    /// <summary>All blocks' maps averaged.</summary>
    public double[,] Mean
    {
        get
        {
            int rows = Maps[0].GetLength(0), columns = Maps[0].GetLength(1);
            var mean = new double[rows, columns];
            foreach (var map in Maps)
            {
                for (var y = 0; y < rows; y++)
                {
                    for (var x = 0; x < columns; x++)
                        mean[y, x] += map[y, x] / Maps.Count;
                }
            }

            return mean;
        }
    }

    /// <summary>Generates a picture and records the attention to words of its prompt.</summary>
    /// <param name="pipeline">The models.</param>
    /// <param name="request">What; one prompt and one picture.</param>
    /// <param name="words">Words as they stand in the prompt.</param>
    /// <param name="blocks">Blocks to record; null for all. Each takes the time of one attention more.</param>
    /// <param name="onStep">Told of every denoising step.</param>
    /// <param name="cancellation">Ends the run between two steps.</param>
    /// <returns>One entry for each word.</returns>
    /// <exception cref="LabException">A word is not in the prompt, or several pictures are asked for.</exception>
    public static IReadOnlyList<TokenAttention> Record(
        StableDiffusion3Pipeline pipeline, GenerationRequest request, IReadOnlyList<string> words, IReadOnlyList<int>? blocks = null,
        Action<DenoisingStep>? onStep = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(words);
        if (request.Prompts.Count != 1 || request.NumImagesPerPrompt != 1)
            throw new LabException(
                $"Attention is recorded for one picture; {request.Prompts.Count} prompts with {request.NumImagesPerPrompt} pictures each "
                + "were asked for.");
        int rows = (request.Height ?? pipeline.DefaultSize) / pipeline.SizeMultiple, columns =
            (request.Width ?? pipeline.DefaultSize) / pipeline.SizeMultiple;
        int[] chosen = [.. (blocks ?? [.. Enumerable.Range(0, pipeline.Transformer.TransformerBlocks.Count)]).Distinct().Order()];
        long[][] places = [.. words.Select(word => Places(pipeline.Prompts, request, word, rows * columns))];
        using var recorder = new AttentionRecorder(pipeline.Transformer, chosen, places);
        var picture = pipeline.Generate(request, onStep, cancellation)[0];
        // [G, S] of each block, copied once.
        var maps = recorder.Maps.Select(entry => entry.Map.cpu().data<float>().ToArray()).ToArray();
        double[,] Map(float[] block, int word)
        {
            var map = new double[rows, columns];
            for (var i = 0; i < map.Length; i++)
                map[i / columns, i % columns] = block[(word * map.Length) + i] / (double)request.NumInferenceSteps;
            return map;
        }

        return [.. words.Select((word, i) => new TokenAttention(word, picture, chosen, [.. maps.Select(block => Map(block, i))]))];
    }

    // Behind the image's tokens are those of CLIP's window, then T5's.
    private static long[] Places(PromptEncoder encoder, GenerationRequest request, string word, int image)
    {
        var (prompt, window) = (request.Prompts[0], encoder.ClipWindow);
        var length = request.MaxSequenceLength ?? encoder.DefaultSequenceLength;
        var clip = PlacesIn(encoder.Tokenizer, prompt, word).Where(place => place < window);
        var t5 = encoder.T5 is null
            ? []
            : PlacesIn(encoder.Tokenizer3!, prompt, word).Where(place => place < length).Select(place => place + window);
        long[] places = [.. clip.Concat(t5).Select(place => place + image)];
        return places.Length > 0
            ? places
            : throw new LabException($"The word “{ShownText.Line(word)}” is not in the prompt “{ShownText.Line(prompt)}”.");
    }

    // A word's tokens are those that appear when the prompt is cut right after the word, and not yet right before it.
    private static IEnumerable<long> PlacesIn(ITextTokenizer tokenizer, string prompt, string word)
    {
        var match = Regex.Match(prompt, $@"(?<!\w){Regex.Escape(word)}(?!\w)", RegexOptions.CultureInvariant);
        if (!match.Success || word.Length == 0)
            return [];
        var at = match.Index;
        var before = Count(tokenizer, prompt[..at].TrimEnd());
        var until = Count(tokenizer, prompt[..(at + word.Length)]);
        var start = tokenizer.Encode(string.Empty).Count > 1 ? 1 : 0;
        return Enumerable.Range(start + before, until - before).Select(place => (long)place);
    }

    private static int Count(ITextTokenizer tokenizer, string text) => tokenizer.Encode(text).Count - tokenizer.Encode(string.Empty).Count;
}
