namespace Dreambooth.Lab.Bench;

/// <summary>How long one part took.</summary>
/// <param name="Part">What was done.</param>
/// <param name="Pictures">With how many pictures.</param>
/// <param name="Seconds">Seconds of wall time.</param>
internal sealed record EncodersFigure(string Part, int Pictures, double Seconds);
