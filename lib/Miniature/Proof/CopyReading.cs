namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>What the search for copies finds in one LoRA's pictures.</summary>
/// <param name="Threshold">The largest similarity of two training pictures.</param>
/// <param name="Mean">The mean similarity of a generated picture to its nearest training picture.</param>
/// <param name="Largest">The largest of them.</param>
/// <param name="Copies">Pictures above the threshold.</param>
/// <param name="Pictures">Pictures in all.</param>
internal sealed record CopyReading(double Threshold, double Mean, double Largest, int Copies, int Pictures);
