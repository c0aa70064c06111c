namespace Dreambooth.Lab.Data;

/// <summary>Two photos that look alike.</summary>
/// <param name="First">The one that is kept.</param>
/// <param name="Second">The one that adds little.</param>
/// <param name="Distance">Bits in which their fingerprints differ, 0 to 64.</param>
public sealed record PhotoPair(Photo First, Photo Second, int Distance);
