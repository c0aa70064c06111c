namespace Dreambooth.Lab.Kernel.Protocol;

/// <summary>The sockets of a Jupyter kernel that carry signed messages.</summary>
public enum Channel
{
    /// <summary>Requests and their replies, in order.</summary>
    Shell,

    /// <summary>Interrupts and shutdown, which must not wait behind a running cell.</summary>
    Control,

    /// <summary>Output published to every client.</summary>
    Iopub,

    /// <summary>Input that a cell asks of the client that sent it.</summary>
    Stdin,
}
