namespace Dreambooth.Lab.Planning;

/// <summary>How a <see cref="PreflightCheck"/> ended.</summary>
public enum PreflightStatus
{
    /// <summary>It is as it should be.</summary>
    Ok,

    /// <summary>The run can start; the result may be worse than it could be.</summary>
    Warning,

    /// <summary>The run cannot start, or will end in an error.</summary>
    Problem,
}
