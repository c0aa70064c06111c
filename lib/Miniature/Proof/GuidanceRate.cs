namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>How well pictures follow their captions at one guidance.</summary>
/// <param name="GuidanceScale">The guidance.</param>
/// <param name="Adherence">Mean of the rates of kind, colour, scene and rendition, 0 to 1.</param>
/// <param name="Kind">Rate of the kind.</param>
/// <param name="Colour">Rate of the colour.</param>
/// <param name="Scene">Rate of the scene.</param>
/// <param name="Rendition">Rate of the rendition.</param>
internal sealed record GuidanceRate(double GuidanceScale, double Adherence, double Kind, double Colour, double Scene, double Rendition);
