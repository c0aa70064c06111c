namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>Runs cells one after the other; each sees the variables, functions, types and usings of those before it.</summary>
internal sealed class CellEngine
{
    private readonly CellCompiler _compiler;
    private readonly ShadowedVariables _shadowed = new();
    private object?[] _slots = new object?[64];
    private int _used = 1;

    /// <summary>Creates an engine with no cells.</summary>
    /// <param name="usings">Namespaces imported besides the standard ones.</param>
    public CellEngine(IEnumerable<string> usings) => _compiler = new CellCompiler(References, usings);

    /// <summary>The assemblies that cells can use.</summary>
    public ReferenceSet References { get; } = new();

    /// <summary>The compiler, for the language service.</summary>
    public CellCompiler Compiler => _compiler;

    /// <summary>Called with every cell that declares something, before it runs.</summary>
    public Action<CompiledCell>? Accepted { get; set; }

    /// <summary>The variables that cells can see now, by name.</summary>
    public IReadOnlyList<(string Name, Type Type, object? Value)> Variables =>
        [.. _shadowed.Visible.Select(v => (v.Name, v.Field.FieldType, v.Field.GetValue(v.Submission))).OrderBy(v => v.Name, StringComparer.Ordinal)];

    /// <summary>Compiles and runs a cell.</summary>
    /// <param name="code">C#, without magics and reference directives.</param>
    /// <param name="path">The name shown in stack traces and errors, for example <c>In[3]</c>.</param>
    /// <param name="key">Tells whether the same cell runs again (see <see cref="ShadowedVariables"/>).</param>
    /// <param name="run">The run, fresh.</param>
    /// <returns>Whether the cell has a value to show, and the value.</returns>
    /// <exception cref="CompilationFailedException">The code has errors.</exception>
    /// <exception cref="CellInterruptedException">The cell was interrupted.</exception>
    public (bool HasValue, object? Value) Execute(string code, string path, string key, CellRun run)
    {
        var cell = _compiler.Compile(code, path);
        var slot = _used;
        // A cell that declares nothing is not needed by later ones: the chain stays short, and its slot is used again.
        if (cell.DeclaresSomething)
        {
            _compiler.Accept(cell);
            Accepted?.Invoke(cell);
            _used += cell.EntryPoint is null ? 0 : 1;
        }

        if (cell.EntryPoint is null)
            return (false, null);
        if (slot + 1 >= _slots.Length)
            Array.Resize(ref _slots, _slots.Length * 2);
        var slots = _slots;
        _shadowed.Add(cell, _compiler.ClassOf(cell), key, () => slots[slot]);
        var value = run.Run(() => cell.EntryPoint(slots));
        return (cell.HasValue, value);
    }

    /// <summary>Sets a top-level variable of an earlier cell.</summary>
    /// <param name="name">The variable.</param>
    /// <param name="value">Its new value.</param>
    /// <returns>False when no cell declares such a variable or it has another type.</returns>
    public bool TrySet(string name, object? value)
    {
        var (found, field, owner) = _shadowed.Visible.FirstOrDefault(v => v.Name == name);
        if (found is null || (value is not null && !field.FieldType.IsInstanceOfType(value)))
            return false;
        field.SetValue(owner, value);
        return true;
    }
}
