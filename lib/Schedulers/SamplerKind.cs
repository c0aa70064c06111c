using System.Text.Json.Serialization;

namespace Dreambooth.Lab.Schedulers;

/// <summary>How a sample is led from noise to data along the predicted flow. Names on command lines and in files are ComfyUI's.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SamplerKind>))]
public enum SamplerKind
{
    /// <summary>Euler steps, as the published models' scheduler has them; the default. One prediction a step.</summary>
    [JsonStringEnumMemberName("euler")]
    Euler,

    /// <summary>
    /// At every step the data is predicted and mixed with new noise (the reference's <c>stochastic_sampling</c>). One prediction a step.
    /// </summary>
    [JsonStringEnumMemberName("euler_stochastic")]
    EulerStochastic,

    /// <summary>Heun's method, of second order; two predictions a step but for the last.</summary>
    [JsonStringEnumMemberName("heun")]
    Heun,

    /// <summary>DPM-Solver++ of second order over several steps (Lu et al. 2022, arXiv:2211.01095). One prediction a step.</summary>
    [JsonStringEnumMemberName("dpmpp_2m")]
    DpmPlusPlus2M,

    /// <summary>The same with new noise at every step.</summary>
    [JsonStringEnumMemberName("dpmpp_2m_sde")]
    DpmPlusPlus2MSde,

    /// <summary>DPM-Solver++ of third order. One prediction a step.</summary>
    [JsonStringEnumMemberName("dpmpp_3m")]
    DpmPlusPlus3M,

    /// <summary>The same with new noise at every step.</summary>
    [JsonStringEnumMemberName("dpmpp_3m_sde")]
    DpmPlusPlus3MSde,

    /// <summary>
    /// UniPC of second order, B(h) = e^h − 1: a predictor, whose step the next prediction corrects (Zhao et al. 2023, arXiv:2302.04867).
    /// One prediction a step.
    /// </summary>
    [JsonStringEnumMemberName("unipc")]
    UniPC,

    /// <summary>UniPC of third order.</summary>
    [JsonStringEnumMemberName("unipc_3")]
    UniPC3,

    /// <summary>
    /// For models that were distilled to predict the data in few steps (latent consistency): data and new noise are mixed at every step.
    /// </summary>
    [JsonStringEnumMemberName("lcm")]
    Lcm,
}
