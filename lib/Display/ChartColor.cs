namespace Dreambooth.Lab.Display;

/// <summary>
/// The colours of charts, told apart on light and dark paper and with the common forms of colour blindness (they differ in lightness
/// as well as in hue). Series without a colour take them in this order.
/// </summary>
public enum ChartColor
{
    /// <summary>Teal; of losses: the instance pictures'.</summary>
    Teal,

    /// <summary>Ochre; of losses: the class pictures'.</summary>
    Ochre,

    /// <summary>Blue; of losses: validation.</summary>
    Blue,

    /// <summary>Rose.</summary>
    Rose,

    /// <summary>Violet.</summary>
    Violet,

    /// <summary>Olive.</summary>
    Olive,

    /// <summary>Grey, for what stands back: learning rates, limits.</summary>
    Grey,

    /// <summary>As dark as text, for what counts most: totals.</summary>
    Ink,
}
