namespace Dreambooth.Lab.Planning;

/// <summary>A set of settings on the way to a smaller memory.</summary>
/// <param name="Change">What was changed last, a phrase; empty for the settings as asked.</param>
/// <param name="Forecast">What it needs.</param>
public sealed record MemoryAdvice(string Change, MemoryForecast Forecast);
