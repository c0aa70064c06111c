namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>How a picture is prepared for an encoder; it stands beside every figure, since figures differ with it.</summary>
public enum ImageProtocol
{
    /// <summary>As the model's own <c>preprocessor_config.json</c> says, with PIL's resizing.</summary>
    Published,

    /// <summary>
    /// As the model's authors evaluate: DINO with the shorter side at 256 bicubically and the middle 224; the others as published.
    /// </summary>
    Paper,
}
