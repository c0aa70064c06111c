using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Evaluation;

/// <summary>The classifier that ships, on drawings that its training did not see.</summary>
public sealed class ShippedClassifierTests : IDisposable
{
    private const int Drawings = 384;
    private const int Batch = 32;
    private const ulong FirstSeed = 970_000_000;

    private readonly AttributeClassifier _classifier = AttributeClassifier.Load(
        Path.Combine(GoldenSet.RepositoryRoot, "data", "sd3-mini-classifier"), CPU);

    public void Dispose() => _classifier.Dispose();

    private static WorldSpec Draw(int i) => WorldSampler.Draw(FirstSeed + (ulong)i, CombinationSplit.HeldOutOnly);

    private static bool[] Right(DrawingAttribute attribute, AttributeReading reading, WorldSpec[] specs)
    {
        var read = reading.LogitsOf(attribute).argmax(1).data<long>().ToArray();
        return [.. specs.Select((spec, i) => (spec, i)).Where(entry => attribute.IsShown(entry.spec))
            .Select(entry => read[entry.i] == attribute.ClassOf(entry.spec))];
    }

    private float[] Identity(IEnumerable<RgbImage> images)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        return [.. images.Chunk(Batch).SelectMany(part => _classifier.call(PixelTensors.Stack(part)).Identity.data<float>().ToArray())];
    }

    [Fact]
    public void Attributes_HeldOutDrawings_AreReadRight()
    {
        using var noGradients = no_grad();
        var right = DrawingAttributes.All.ToDictionary(attribute => attribute.Name, _ => new List<bool>());
        for (var first = 0; first < Drawings; first += Batch)
        {
            using var scope = NewDisposeScope();
            WorldSpec[] specs = [.. Enumerable.Range(first, Batch).Select(Draw)];
            var reading = _classifier.call(PixelTensors.Stack([.. specs.Select(spec => WorldRenderer.Render(spec))]));
            foreach (var attribute in DrawingAttributes.All)
                right[attribute.Name].AddRange(Right(attribute, reading, specs));
        }

        Assert.All(
            right, entry => Assert.True(
                entry.Value.Average(ok => ok ? 1.0 : 0.0) >= 0.95, $"{entry.Key}: {entry.Value.Count(ok => ok)} of {entry.Value.Count}"));
    }

    [Fact]
    public void Identity_PicturesOfTheCharacter_AreRecognised()
    {
        var images = Directory.GetFiles(Path.Combine(GoldenSet.RepositoryRoot, "data", "cat_gmc"), "*.png").Select(ImageDecoder.Load)
            .ToArray();
        Assert.Equal(CharacterPictures.Count, images.Length);
        Assert.All(Identity(images), score => Assert.True(score > 0));
    }

    [Fact]
    public void Identity_SimilarCats_AreNotTakenForIt()
    {
        var scores = Identity(Enumerable.Range(0, 128).Select(i => WorldRenderer.Render(SimilarCats.Draw(5_000_000 + (ulong)i))));
        Assert.InRange(scores.Count(score => score > 0), 0, 4);
    }
}
