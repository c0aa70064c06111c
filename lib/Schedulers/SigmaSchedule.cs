using System.Text.Json.Serialization;

namespace Dreambooth.Lab.Schedulers;

/// <summary>How the noise levels of the steps are spaced between the first and the last.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SigmaSchedule>))]
public enum SigmaSchedule
{
    /// <summary>Evenly spaced and shifted towards noise, as the model's scheduler says; the default.</summary>
    [JsonStringEnumMemberName("model")]
    Model,

    /// <summary>
    /// Evenly spaced and shifted by the picture's size: by e^μ with μ = 0.5 at 256 patches to 1.15 at 4096, on one line. The model's own
    /// shift has no part in it.
    /// </summary>
    [JsonStringEnumMemberName("dynamic")]
    Dynamic,

    /// <summary>
    /// Evenly spaced in σ^(1/7) (Karras et al. 2022, arXiv:2206.00364). Of the model's shift only both ends remain, as in the two below.
    /// </summary>
    [JsonStringEnumMemberName("karras")]
    Karras,

    /// <summary>Evenly spaced in log σ.</summary>
    [JsonStringEnumMemberName("exponential")]
    Exponential,

    /// <summary>At the quantiles of a beta distribution with α = β = 0.6, denser at both ends (arXiv:2407.12173).</summary>
    [JsonStringEnumMemberName("beta")]
    Beta,
}
