namespace Dreambooth.Lab.Training;

/// <summary>The optimizers.</summary>
internal enum OptimizerKind
{
    /// <summary><see cref="FlatAdamW"/>.</summary>
    AdamW,

    /// <summary><see cref="FlatAdamW8Bit"/>.</summary>
    AdamW8Bit,

    /// <summary><see cref="FlatLion"/>.</summary>
    Lion,

    /// <summary><see cref="FlatProdigy"/>.</summary>
    Prodigy,

    /// <summary><see cref="FlatScheduleFree"/>.</summary>
    ScheduleFree,

    /// <summary><see cref="FlatAdafactor"/>.</summary>
    Adafactor,
}
