using System.Text.Json;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Evaluation;

public sealed class SubjectScoresTests
{
    private const double Tolerance = 1e-12;

    /// <summary>Values of single pictures are stored as float32.</summary>
    private const double StoredTolerance = 1e-7;

    public static TheoryData<GoldenCase> Metrics => GoldenSet.Cases("vision", file => file.Has("gen_clip"));

    [Theory]
    [Trait("Category", "Parity")]
    [MemberData(nameof(Metrics))]
    public void Scores_OfGoldenEmbeddings_EqualTheReference(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        UnitVectors Of(string name) => UnitVectors.Of(golden.Load(name));
        var expected = Expected().GetProperty("random");
        Same(expected, "CLIP-I", golden, "clip_i.per_image", SubjectScores.Fidelity(Of("gen_clip"), Of("real_clip")));
        Same(expected, "DINO", golden, "dino.per_image", SubjectScores.Fidelity(Of("gen_dino"), Of("real_dino")));
        Same(expected, "CLIP-T", golden, "clip_t.per_image", SubjectScores.PromptFidelity(Of("gen_clip"), Of("text_clip")));
        Same(expected, "real_ceiling_CLIP-I", golden, "leave_one_out.clip", SubjectScores.Ceiling(Of("real_clip")));
        Same(expected, "real_ceiling_DINO", golden, "leave_one_out.dino", SubjectScores.Ceiling(Of("real_dino")));
        Same(expected, "PRES", SubjectScores.PriorPreservation(Of("class_dino"), Of("real_dino")).Average());
        var distances = golden.Load("div.distances").to(ScalarType.Float64);
        Same(expected, "DIV_of_given_distances",
            SubjectScores.MeanOverPairs((int)distances.shape[0], (i, j) => distances[i, j].item<double>()));
    }

    [Theory]
    [Trait("Category", "Parity")]
    [MemberData(nameof(Metrics))]
    public void Scores_OfTheEncodersEmbeddings_EqualTheReference(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        var cases = Expected().EnumerateObject().Where(entry => entry.Name.Contains('+', StringComparison.Ordinal)).ToArray();
        Assert.True(cases.Length > 0 || !GoldenSet.Second.IsFull, "the full set holds scores of the encoders");
        foreach (var (name, expected) in cases.Select(entry => (entry.Name.Split('+'), entry.Value)))
        {
            // Pictures 0 to 2 are the real ones, 3 to 5 the generated ones, each with its own prompt.
            UnitVectors Of(string model, string key, int first) =>
                UnitVectors.Of(GoldenSet.Load("vision", $"{model}.safetensors", key).narrow(0, first, 3));
            UnitVectors Clip(int first) => Of(name[0], "vision.image_embeds", first);
            UnitVectors Dino(int first) => Of(name[1], "cls", first);
            Same(expected, "CLIP-I", SubjectScores.Fidelity(Clip(3), Clip(0)).Average());
            Same(expected, "DINO", SubjectScores.Fidelity(Dino(3), Dino(0)).Average());
            Same(expected, "CLIP-T", SubjectScores.PromptFidelity(Clip(3), Of(name[0], "text.text_embeds", 3)).Average());
            Same(expected, "real_ceiling_CLIP-I", SubjectScores.Ceiling(Clip(0)).Average());
            Same(expected, "real_ceiling_DINO", SubjectScores.Ceiling(Dino(0)).Average());
        }
    }

    [Fact]
    public void WithOthers_OppositeAndEqualPictures_IsMinusOneAndOne()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(-1, WithOthers(new float[,] { { 3, 0 }, { -1, 0 } }), Tolerance);
        Assert.Equal(1, WithOthers(new float[,] { { 3, 0 }, { 1, 0 }, { 7, 0 } }), Tolerance);
        Assert.Equal(1 / 3.0, WithOthers(new float[,] { { 1, 0 }, { 0, 1 }, { 0, 2 } }), Tolerance);

        static double WithOthers(float[,] values) =>
            SubjectScores.WithOthers(Vectors(values), [.. Enumerable.Range(0, values.GetLength(0))]).Average();
    }

    [Fact]
    public void Scores_OfOnePictureAmongItself_AreRefused()
    {
        using var scope = NewDisposeScope();
        var one = Vectors(new float[,] { { 1, 0 } });
        Assert.Throws<LabException>(() => SubjectScores.Ceiling(one));
        Assert.Throws<LabException>(() => SubjectScores.PromptFidelity(one, Vectors(new float[,] { { 1, 0 }, { 0, 1 } })));
    }

    [Fact]
    public void Of_AnEmbeddingWithoutDirection_IsRefused()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<LabException>(() => Vectors(new float[,] { { 1, 0 }, { 0, 0 } }));
        Assert.Throws<LabException>(() => Vectors(new float[,] { { float.NaN, 0 } }));
        var error = Assert.Throws<LabException>(
            () => SubjectScores.Fidelity(Vectors(new float[,] { { 1, 0 } }), Vectors(new float[,] { { 1, 0, 0 } })));
        Assert.Contains("two encoders", error.Message, StringComparison.Ordinal);
    }

    internal static UnitVectors Vectors(float[,] rows)
    {
        using var values = tensor(rows);
        return UnitVectors.Of(values);
    }

    private static JsonElement Expected()
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(GoldenSet.PathOf("vision", "metrics.json")));
        return document.RootElement.Clone();
    }

    private static void Same(JsonElement expected, string name, double actual) =>
        Assert.Equal(expected.GetProperty(name).GetDouble(), actual, Tolerance);

    private static void Same(JsonElement expected, string name, GoldenCase golden, string perImage, double[] actual)
    {
        Same(expected, name, actual.Average());
        var stored = golden.Load(perImage).data<float>().ToArray();
        Assert.Equal(stored.Length, actual.Length);
        Assert.All(stored.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, StoredTolerance));
    }
}
