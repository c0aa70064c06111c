using System.Buffers.Binary;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Tests.Imaging;

/// <summary>The pictures in tests/fixtures/imaging/modes beside what PIL decodes them to; make_modes.py there says how they were made.</summary>
public sealed class ImageDecoderTests
{
    public static string Modes { get; } = Path.Combine(AppContext.BaseDirectory, "fixtures", "imaging", "modes");

    public static TheoryData<string> Pictures =>
        [.. Directory.GetFiles(Modes).Where(path => !path.EndsWith(".rgb", StringComparison.Ordinal)).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Pictures))]
    public void Load_EachModeAndFormat_GivesThePixelsOfPil(string name)
    {
        var image = ImageDecoder.Load(Path.Combine(Modes, name));
        var expected = File.ReadAllBytes(Path.Combine(Modes, name + ".rgb"));

        Assert.Equal(BinaryPrimitives.ReadUInt16LittleEndian(expected), image.Width);
        Assert.Equal(BinaryPrimitives.ReadUInt16LittleEndian(expected.AsSpan(2)), image.Height);
        var difference = image.Pixels.Zip(expected.Skip(4), (ours, theirs) => Math.Abs(ours - theirs)).Max();
        var allowed = name.EndsWith(".jpg", StringComparison.Ordinal) ? 2 : 0;
        Assert.True(difference <= allowed, $"{name} differs by {difference} levels, {allowed} are allowed");
    }
}
