namespace Dreambooth.Lab.Evaluation;

/// <summary>The pattern on a subject's coat, paint or glaze.</summary>
public enum CoatPattern
{
    /// <summary>One colour all over (paler belly and muzzle aside).</summary>
    Solid,

    /// <summary>Bold bands.</summary>
    Striped,

    /// <summary>Round dots.</summary>
    Spotted,

    /// <summary>A few large blotches.</summary>
    Patched,

    /// <summary>A chessboard of squares.</summary>
    Checked,
}
