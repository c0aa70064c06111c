namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>What a name means that a cell declared and later cells can use.</summary>
/// <param name="Key">Declarations of equal keys hide each other: the name, and for a function also the types of its parameters.</param>
/// <param name="Name">The name.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Owner">The assembly of the cell that declared it.</param>
/// <param name="Text">
/// Of a variable its type (null when the type has no name), of a function its head with <c>=&gt;</c> and the call, of a property the head
/// and the accessors, of a type the number of its type parameters. <c>{0}</c> stands for the object or class that it is a member of.
/// </param>
internal sealed record Declaration(string Key, string Name, DeclarationKind Kind, string Owner, string? Text)
{
    /// <summary>Whether it belongs to the class and not to the cell's object.</summary>
    public bool IsStatic { get; init; }

    /// <summary>Whether it is a variable that is set once.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>The assembly whose field of this name shows the compiler a type without a name.</summary>
    public string TypeOwner { get; init; } = Owner;
}

/// <summary>The kinds of <see cref="Declaration"/>.</summary>
internal enum DeclarationKind
{
    /// <summary>A variable.</summary>
    Variable,

    /// <summary>A constant.</summary>
    Constant,

    /// <summary>A function.</summary>
    Function,

    /// <summary>A property.</summary>
    Property,

    /// <summary>A class, record, structure, enumeration, interface or delegate.</summary>
    Type,

    /// <summary>Something else, such as an event.</summary>
    Other,
}
