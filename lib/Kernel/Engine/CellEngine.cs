using System.Reflection;

namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>Runs cells one after the other; each sees the variables, functions, types and usings of those before it.</summary>
internal sealed class CellEngine
{
    private readonly CellCompiler _compiler;
    private const int LongChain = 32;

    private readonly ShadowedVariables _shadowed = new();
    private readonly ChainSummary _summary = new();
    private readonly Dictionary<string, LoadedCell> _cells = [];
    private int _chain;

    // A cell may send another one, and continues afterwards with its own variables.
    private int _depth;
    private int _chainLimit = LongChain;
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
        [.. _shadowed.Visible.Select(v => (v.Name, v.Field.FieldType, v.Field.GetValue(v.Cell)))
            .OrderBy(v => v.Name, StringComparer.Ordinal)];

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
        // Its caller had no moment of rest to do this in.
        if (_chain >= 2 * _chainLimit && _depth == 0)
            ShortenChain();
        var cell = _compiler.Compile(code, path);
        var slot = _used;
        // A cell that declares nothing is not needed by later ones: the chain stays short, and its slot is used again.
        if (cell.DeclaresSomething)
        {
            _compiler.Accept(cell);
            _summary.Add(cell);
            _chain++;
            Accepted?.Invoke(cell);
            _used += cell.EntryPoint is null ? 0 : 1;
        }

        if (cell.EntryPoint is null || cell.Loaded is null)
            return (false, null);
        if (slot + 1 >= _slots.Length)
            Array.Resize(ref _slots, _slots.Length * 2);
        if (cell.DeclaresSomething)
            _cells[cell.Loaded.Name] = cell.Loaded;
        _shadowed.Add(cell, key);
        _depth++;
        try
        {
            return (cell.HasValue, Run(cell.EntryPoint, cell.Loaded, _slots, slot, run));
        }
        finally
        {
            _depth--;
        }
    }

    /// <summary>
    /// Puts one summary in the place of the cells so far when they have become many, so that memory and time of a cell do not grow with
    /// their number. To be called when nothing runs.
    /// </summary>
    public void ShortenChainWhenLong()
    {
        if (_chain >= _chainLimit)
            ShortenChain();
    }

    // Not a part of Execute: its closure would keep the compilation as long as the cell's object.
    private static object? Run(Func<object?[], Task<object?>> start, LoadedCell cell, object?[] slots, int slot, CellRun run)
    {
        try
        {
            return run.Run(() => start(slots));
        }
        finally
        {
            cell.Instance = slots[slot];
        }
    }

    /// <summary>Puts one summary in the place of the cells so far; leaves them when something in force cannot be summarised.</summary>
    /// <returns>Whether the chain is short now.</returns>
    public bool ShortenChain()
    {
        var text = _summary.Write(_shadowed.IsUsed);
        var needed = text is null ? [] : Needed(ChainSummary.CellsIn(text.Code));
        if (text is null || _compiler.Summarise(text, needed.Select(c => c.Reference)) is not { Loaded: { } loaded } cell)
        {
            // Something cannot be summarised as long as it is in force.
            _chainLimit = 2 * _chain;
            return false;
        }

        var slots = new object?[64];
        cell.EntryPoint!(slots).GetAwaiter().GetResult();
        loaded.Instance = slots[1];
        foreach (var owner in text.Owners)
            Field(loaded, $"__{owner}").SetValue(loaded.Instance, _cells[owner].Instance);
        foreach (var (name, owner) in text.Moved.Select(v => (v.Name, _cells[v.Owner])).Where(v => v.Item2.Instance is not null))
            Field(loaded, name).SetValue(loaded.Instance, Field(owner, name).GetValue(owner.Instance));
        _shadowed.Move(text, loaded);
        _summary.Move(text.Moved, loaded.Name);
        (_slots, _used, _chain, _chainLimit) = (slots, 2, 1, LongChain + (_summary.Count / 32));
        _cells.Clear();
        foreach (var each in needed.Append(loaded))
            _cells[each.Name] = each;
        return true;
    }

    // The cells named, and those that their declarations need.
    private List<LoadedCell> Needed(IEnumerable<string> names)
    {
        var open = new Stack<string>(names);
        var found = new Dictionary<string, LoadedCell>();
        while (open.TryPop(out var name))
        {
            if (!_cells.TryGetValue(name, out var cell) || !found.TryAdd(name, cell))
                continue;
            foreach (var need in cell.Needs)
                open.Push(need);
        }

        return [.. found.Values];
    }

    private static FieldInfo Field(LoadedCell cell, string name) =>
        cell.Type.GetField(name, BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!;

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
