namespace Dreambooth.Lab.Peft;

/// <summary>What an adapter does to a layer's weight W.</summary>
public enum LoraVariant
{
    /// <summary><c>W + s B A</c> (Hu et al. 2021, arXiv:2106.09685).</summary>
    Lora,

    /// <summary>The rows of <c>W + s B A</c> with magnitudes of their own (DoRA, Liu et al. 2024, arXiv:2402.09353).</summary>
    Dora,

    /// <summary><c>W</c> and the elementwise product of two low-rank matrices (LoHa, LyCORIS).</summary>
    Loha,

    /// <summary><c>W</c> and a Kronecker product (LoKr, LyCORIS).</summary>
    Lokr,
}
