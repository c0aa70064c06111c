namespace Dreambooth.Lab.Miniature.World.Figures;

/// <summary>The proportions of one kind of animal, in figure units (a head is about 48 wide).</summary>
internal sealed record AnimalShape
{
    /// <summary>The right half of the head's outline from top to chin, as x, y pairs about the head's centre.</summary>
    public required float[] Head { get; init; }

    public required EarStyle Ears { get; init; }

    public required TailStyle Tail { get; init; }

    /// <summary>How wide the trunk is; 1 for a cat.</summary>
    public float Girth { get; init; } = 1;

    /// <summary>Half the width of a leg.</summary>
    public float Leg { get; init; } = 5.5f;

    /// <summary>How long the legs are when standing.</summary>
    public float LegLength { get; init; } = 26;

    /// <summary>Half the height of an eye.</summary>
    public float Eye { get; init; } = 5.4f;

    /// <summary>Half the distance of the eyes.</summary>
    public float EyeGap { get; init; } = 10.5f;

    /// <summary>How far the eyes lie below the head's centre.</summary>
    public float EyeY { get; init; } = -1;

    /// <summary>Half the width of the muzzle.</summary>
    public float Muzzle { get; init; } = 8;

    /// <summary>How far the muzzle lies below the head's centre.</summary>
    public float MuzzleY { get; init; } = 10;

    /// <summary>Half the width of the nose.</summary>
    public float Nose { get; init; } = 2.8f;

    /// <summary>Whether it has whiskers.</summary>
    public bool Whiskers { get; init; }

    /// <summary>The shape of an animal.</summary>
    /// <param name="kind">One of the five animals with four legs.</param>
    public static AnimalShape Of(SubjectKind kind) => kind switch
    {
        SubjectKind.Cat => Cat,
        SubjectKind.Dog => Dog,
        SubjectKind.Rabbit => Rabbit,
        SubjectKind.Fox => Fox,
        SubjectKind.Bear => Bear,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "not a four-legged animal"),
    };

    private static readonly AnimalShape Cat = new()
    {
        Head = [0, -19, 12, -18, 22, -9, 25, 3, 20, 13, 9, 18.5f, 0, 19],
        Ears = EarStyle.Pointed,
        Tail = TailStyle.Long,
        Whiskers = true,
        Eye = 5.8f,
    };

    private static readonly AnimalShape Dog = new()
    {
        Head = [0, -25, 11, -22.5f, 19, -11, 19.5f, 2, 17, 14, 9, 22, 0, 23],
        Ears = EarStyle.Hanging,
        Tail = TailStyle.Curled,
        Girth = 1.06f,
        Leg = 6.2f,
        LegLength = 29,
        Eye = 4.3f,
        EyeGap = 9,
        EyeY = -4,
        Muzzle = 12,
        MuzzleY = 11,
        Nose = 5,
    };

    private static readonly AnimalShape Rabbit = new()
    {
        Head = [0, -18, 10, -17, 17.5f, -8, 21, 5, 18, 14, 9, 19, 0, 19.5f],
        Ears = EarStyle.Tall,
        Tail = TailStyle.Puff,
        Girth = 1.02f,
        Leg = 5.4f,
        LegLength = 19,
        Eye = 4.6f,
        EyeGap = 11,
        EyeY = -2,
        Muzzle = 7,
        MuzzleY = 9,
        Nose = 2.5f,
    };

    private static readonly AnimalShape Fox = new()
    {
        Head = [0, -18, 12, -16.5f, 20, -8, 29, 6, 17, 13, 6, 21, 0, 24],
        Ears = EarStyle.Large,
        Tail = TailStyle.Bushy,
        Girth = 0.92f,
        Leg = 4.8f,
        LegLength = 28,
        Eye = 4.1f,
        EyeGap = 9.5f,
        EyeY = -2,
        Muzzle = 5.5f,
        MuzzleY = 16,
        Nose = 3.2f,
    };

    private static readonly AnimalShape Bear = new()
    {
        Head = [0, -20, 13, -18, 22, -8, 24, 4, 19, 15, 9, 20, 0, 20.5f],
        Ears = EarStyle.Round,
        Tail = TailStyle.Stub,
        Girth = 1.28f,
        Leg = 8,
        LegLength = 22,
        Eye = 3.6f,
        EyeGap = 9.5f,
        EyeY = -3,
        Muzzle = 11,
        MuzzleY = 8.5f,
        Nose = 4.4f,
    };
}
