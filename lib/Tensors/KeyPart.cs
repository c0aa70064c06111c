namespace Dreambooth.Lab.Tensors;

/// <summary>Which values of a stored tensor make up a published parameter.</summary>
public enum KeyPart
{
    /// <summary>All, as they are.</summary>
    Whole,

    /// <summary>The first third of the rows: queries of a fused projection.</summary>
    FirstThird,

    /// <summary>The second third of the rows: keys of a fused projection.</summary>
    SecondThird,

    /// <summary>The last third of the rows: values of a fused projection.</summary>
    LastThird,

    /// <summary>The second half of the rows, then the first: shift and scale stored the other way round.</summary>
    SwappedHalves,

    /// <summary>All, without the trailing axes of length 1: a 1×1 convolution that is a linear layer.</summary>
    Squeezed,

    /// <summary>None: the identity matrix, as wide as the stored tensor is long.</summary>
    Identity,
}
