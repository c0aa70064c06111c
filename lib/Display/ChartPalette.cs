namespace Dreambooth.Lab.Display;

/// <summary>What <see cref="ChartColor"/> is where: on light paper, on dark paper, on either (interactive charts do not know).</summary>
internal static class ChartPalette
{
    /// <summary>The paper of pictures of charts.</summary>
    public const string Paper = "#fcfbf9";

    /// <summary>Text and rules of pictures of charts.</summary>
    public const string Ink = "#1f1d1a", Soft = "#6d675e", Rule = "#e5e0d8";

    /// <summary>Text and rules of interactive charts, legible on light and dark.</summary>
    public const string MiddleText = "#857e74", MiddleRule = "rgba(133,126,116,0.25)";

    private static readonly (string Name, string Light, string Middle)[] Colors =
    [
        ("teal", "#1f7a74", "#2a958d"),
        ("ochre", "#b3711b", "#c4822a"),
        ("blue", "#3565a8", "#4a80cc"),
        ("rose", "#b5476b", "#cf5f85"),
        ("violet", "#6f4fa3", "#8d6cc8"),
        ("olive", "#6b7a1e", "#82932a"),
        ("grey", "#7d766c", "#8a837a"),
        ("ink", "#1f1d1a", "#857e74"),
    ];

    /// <summary>The colour as a style's value, which follows the theme.</summary>
    public static string Css(ChartColor color) => $"var(--{Colors[(int)color].Name})";

    /// <summary>The colour on light paper, #rrggbb.</summary>
    public static string Light(ChartColor color) => Colors[(int)color].Light;

    /// <summary>The colour that serves on light and dark, #rrggbb.</summary>
    public static string Middle(ChartColor color) => Colors[(int)color].Middle;

    /// <summary>The colour of a series that names none.</summary>
    public static ChartColor At(int index) => (ChartColor)(index % (int)ChartColor.Grey);
}
