using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Miniature.World;

namespace Dreambooth.Lab.Tests.Miniature.World;

public class DrawingAttributesTests
{
    [Fact]
    public void All_Attributes_HaveDistinctNamesAndClasses()
    {
        Assert.Equal(DrawingAttributes.All.Count, DrawingAttributes.All.Select(attribute => attribute.Name).Distinct().Count());
        Assert.All(DrawingAttributes.All, attribute => Assert.Equal(attribute.Classes.Count, attribute.Classes.Distinct().Count()));
    }

    [Fact]
    public void ClassOf_AnySpec_NamesItsValue()
    {
        for (ulong seed = 0; seed < 200; seed++)
        {
            var spec = WorldSampler.Draw(seed);
            Assert.Equal(spec.Kind.ToString(), DrawingAttributes.Kind.Classes[DrawingAttributes.Kind.ClassOf(spec)]);
            Assert.Equal(spec.Scene.ToString(), DrawingAttributes.Scene.Classes[DrawingAttributes.Scene.ClassOf(spec)]);
            Assert.Equal(spec.Rendition.ToString(), DrawingAttributes.Rendition.Classes[DrawingAttributes.Rendition.ClassOf(spec)]);
            Assert.Equal(spec.Property.ToString(), DrawingAttributes.Property.Classes[DrawingAttributes.Property.ClassOf(spec)]);
        }
    }

    [Theory]
    [InlineData(Rendition.PencilSketch, PropertyChange.None)]
    [InlineData(Rendition.Photo, PropertyChange.XRay)]
    [InlineData(Rendition.Photo, PropertyChange.Statue)]
    [InlineData(Rendition.Photo, PropertyChange.Gold)]
    public void IsShown_ColourThatTheDrawingHides_IsFalse(Rendition rendition, PropertyChange property)
    {
        var spec = WorldSampler.Draw(3) with { Rendition = rendition, Property = property };
        Assert.False(DrawingAttributes.Colour.IsShown(spec));
    }
}
