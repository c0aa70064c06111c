namespace Dreambooth.Lab.Schedulers;

/// <summary>How an error of the prediction becomes a loss: <c>--loss_type</c>. d is the error of an element.</summary>
public enum LossType
{
    /// <summary>d²: <c>l2</c>.</summary>
    L2,

    /// <summary>|d|: <c>l1</c>.</summary>
    L1,

    /// <summary>2 c (√(d² + c²) − c), which grows as d² for small errors and as |d| for large ones: <c>huber</c>.</summary>
    Huber,

    /// <summary>2 (√(d² + c²) − c): <c>smooth_l1</c>.</summary>
    SmoothL1,
}
