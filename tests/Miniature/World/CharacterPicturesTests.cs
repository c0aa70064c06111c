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
