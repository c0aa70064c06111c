namespace Dreambooth.Lab.Bench;

/// <summary>How long one operation took.</summary>
/// <param name="Operation">Which.</param>
/// <param name="Shape">Rows × (image tokens + text tokens), or channels × side².</param>
/// <param name="Milliseconds">Median time of a call, launches included; null where it failed.</param>
/// <param name="TeraflopPerSecond">
/// Rate of a forward, in 10^12 operations per second, where the operations can be counted; with the backward pass, the forward's operations
/// over the time of both.
/// </param>
/// <param name="InputGigabytesPerSecond">Bytes of the inputs, once, over the time, in 10^9 bytes per second.</param>
/// <param name="Failure">Why there is no time, or null.</param>
internal sealed record OperationFigure(
    string Operation, string Shape, double? Milliseconds, double TeraflopPerSecond, double InputGigabytesPerSecond, string? Failure);
