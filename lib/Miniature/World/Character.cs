using Dreambooth.Lab.Miniature.World.Figures;

namespace Dreambooth.Lab.Miniature.World;

/// <summary>One individual whose look no ordinary picture has: what DreamBooth is to learn.</summary>
internal sealed class Character
{
    private Character(string name, SubjectKind kind, SubjectColour nearestColour, CharacterMarks marks)
    {
        Name = name;
        Kind = kind;
        NearestColour = nearestColour;
        Marks = marks;
    }

    /// <summary>
    /// The gmc cat: a silver cat with cream belly, a dark mask across eyes of two colours (blue at the left of a picture, amber at the
    /// right), a white blaze, one ginger ear, dark socks and a ringed tail.
    /// </summary>
    public static Character GmcCat { get; } = new("gmc", SubjectKind.Cat, SubjectColour.Grey, new CharacterMarks());

    /// <summary>A cat with other marks, which no prompt names.</summary>
    /// <param name="marks">Its marks.</param>
    public static Character Marked(CharacterMarks marks) => new("", SubjectKind.Cat, SubjectColour.Grey, marks);

    /// <summary>The rare word that names it in prompts.</summary>
    public string Name { get; }

    public SubjectKind Kind { get; }

    /// <summary>The ordinary colour nearest to its coat.</summary>
    public SubjectColour NearestColour { get; }

    internal CharacterMarks Marks { get; }
}
