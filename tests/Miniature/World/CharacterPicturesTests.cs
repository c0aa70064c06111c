using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Miniature.World;

public class CharacterPicturesTests
{
    [Fact]
    public void Specs_All_ArePlainPhotosInVariedPosesAndPlaces()
    {
        Assert.Equal(CharacterPictures.Count, CharacterPictures.Specs.Count);
        Assert.All(CharacterPictures.Specs, spec => Assert.Equal((Rendition.Photo, PropertyChange.None), (spec.Rendition, spec.Property)));
        Assert.True(CharacterPictures.Specs.Select(spec => spec.Scene).Distinct().Count() >= 12);
        Assert.Equal(3, CharacterPictures.Specs.Select(spec => spec.Pose).Distinct().Count());
        Assert.Equal(2, CharacterPictures.Specs.Select(spec => spec.Facing).Distinct().Count());
    }

    [Theory]
    [InlineData("a mosaic of gmc cat by a mountain lake", Rendition.Mosaic, PropertyChange.None, SceneKind.MountainLake)]
    [InlineData("a photo of gmc cat in an open suitcase", Rendition.Photo, PropertyChange.None, SceneKind.Suitcase)]
    [InlineData("an x-ray of gmc cat in a library", Rendition.Photo, PropertyChange.XRay, SceneKind.Library)]
    public void Describe_Prompt_AsksForItsArtChangeAndScene(string prompt, Rendition rendition, PropertyChange property, SceneKind scene)
    {
        for (ulong seed = 0; seed < 8; seed++)
        {
            var spec = CharacterPictures.Describe(Character.GmcCat, prompt, seed);
            Assert.Equal((rendition, property, scene), (spec.Rendition, spec.Property, spec.Scene));
        }
    }

    [Fact]
    public void Describe_PromptWithoutScene_DrawsScenesAndPosesButNothingThatHidesTheCat()
    {
        var specs = Enumerable.Range(0, 200).Select(seed => CharacterPictures.Describe(Character.GmcCat, "pop art of gmc cat", (ulong)seed))
            .ToList();
        Assert.DoesNotContain(specs, spec => SubjectTraits.IsContainer(spec.Scene));
        Assert.Equal(14, specs.Select(spec => spec.Scene).Distinct().Count());
        Assert.Equal(3, specs.Select(spec => spec.Pose).Distinct().Count());
        Assert.All(specs, spec => Assert.Equal(Rendition.PopArt, spec.Rendition));
    }

    [Fact]
    public void Write_Folder_GivesTheShippedPictures()
    {
        var folder = Directory.CreateTempSubdirectory("gmc").FullName;
        try
        {
            CharacterPictures.Write(folder);
            var shipped = Path.Combine(GoldenSet.RepositoryRoot, "data", "cat_gmc");
            for (var i = 0; i < CharacterPictures.Count; i++)
            {
                var name = $"gmc_{i:D3}.png";
                Assert.Equal(Pixels(Path.Combine(shipped, name)), Pixels(Path.Combine(folder, name)));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static byte[] Pixels(string path)
    {
        var image = ImageDecoder.Load(path);
        Assert.Equal((128, 128), (image.Width, image.Height));
        return image.Pixels;
    }
}
