using System.Text;
using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tensors;

/// <summary>
/// Loads a checkpoint into a module and refuses anything but an exact fit: every parameter of the module must be in the
/// checkpoint with the same shape, and the checkpoint must hold nothing else. Nothing is broadcast or skipped.
/// </summary>
internal static class StateDictLoader
{
    private const int ListedNames = 12;

    /// <summary>Replaces the module's parameters by the checkpoint's tensors, converted to the device and element type.</summary>
    /// <param name="module">A module whose parameters belong to <see cref="IParameterOwner"/>s; may be on the meta device.</param>
    /// <param name="checkpoint">The tensors, under the module's parameter names.</param>
    /// <param name="device">Where the parameters go. CPU tensors of the file's own type stay mapped, without a copy.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    /// <param name="isSuperfluous">Names in the checkpoint that the model does not use although they are published.</param>
    /// <exception cref="LabException">Lists every missing, unexpected and mismatched entry; the module is unchanged then.</exception>
    public static void Load(
        nn.Module module, ITensorSource checkpoint, Device device, ScalarType dtype, Func<string, bool>? isSuperfluous = null)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(checkpoint);
        var slots = Slots(module);
        Check(module, checkpoint, slots, isSuperfluous);
        Fill(slots, checkpoint, string.Empty, device, dtype);
    }

    /// <summary>Checks that a checkpoint fits a module exactly, and loads nothing.</summary>
    /// <param name="module">A module whose parameters belong to <see cref="IParameterOwner"/>s; may be on the meta device.</param>
    /// <param name="checkpoint">The tensors, under the module's parameter names.</param>
    /// <param name="isSuperfluous">Names in the checkpoint that the model does not use although they are published.</param>
    /// <exception cref="LabException">Lists every missing, unexpected and mismatched entry.</exception>
    public static void Check(nn.Module module, ITensorSource checkpoint, Func<string, bool>? isSuperfluous = null)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(checkpoint);
        Check(module, checkpoint, Slots(module), isSuperfluous);
    }

    /// <summary>Loads a part of a model whose checkpoint was checked before.</summary>
    /// <param name="part">The part: a module whose parameters belong to <see cref="IParameterOwner"/>s.</param>
    /// <param name="checkpoint">The tensors of the whole model.</param>
    /// <param name="prefix">What the part's names begin with in the checkpoint, as <c>encoder.block.3.</c>; empty for the whole.</param>
    /// <param name="device">Where the parameters go.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public static void Fill(nn.Module part, ITensorSource checkpoint, string prefix, Device device, ScalarType dtype)
    {
        ArgumentNullException.ThrowIfNull(part);
        ArgumentNullException.ThrowIfNull(checkpoint);
        Fill(Slots(part), checkpoint, prefix, device, dtype);
    }

    /// <summary>
    /// Frees a module's parameters: they keep shape and type on the meta device, until
    /// <see cref="Fill(nn.Module, ITensorSource, string, Device, ScalarType)"/>.
    /// </summary>
    /// <param name="module">A module whose parameters belong to <see cref="IParameterOwner"/>s.</param>
    public static void Release(nn.Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        foreach (var (_, slot) in Slots(module))
            slot.Owner.Assign(slot.Name, empty(slot.Value.shape, slot.Value.dtype, META));
    }

    /// <summary>The module's parameters by their published names.</summary>
    /// <param name="module">A module whose parameters belong to <see cref="IParameterOwner"/>s.</param>
    public static IReadOnlyDictionary<string, Tensor> StateDict(nn.Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        return Slots(module).ToDictionary(slot => slot.Key, slot => slot.Value.Value);
    }

    /// <summary>The module's parameters with the modules that hold them, sorted by their names in the checkpoint.</summary>
    /// <param name="module">A module whose parameters belong to <see cref="IParameterOwner"/>s.</param>
    public static IEnumerable<(string Path, IParameterOwner Owner, string Name, Tensor Value)> Owners(nn.Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        return Slots(module).Select(slot => (slot.Key, slot.Value.Owner, slot.Value.Name, slot.Value.Value));
    }

    private static void Fill(SortedDictionary<string, Slot> slots, ITensorSource checkpoint, string prefix, Device device, ScalarType dtype)
    {
        using var noGradients = no_grad();
        foreach (var (name, slot) in slots)
            slot.Owner.Assign(slot.Name, checkpoint.Load(prefix + name, device, dtype));
    }

    private static SortedDictionary<string, Slot> Slots(nn.Module module)
    {
        var slots = new SortedDictionary<string, Slot>(StringComparer.Ordinal);
        foreach (var (path, child) in module.named_modules().Prepend((string.Empty, module)))
        {
            if (child is not IParameterOwner owner)
                continue;
            foreach (var (name, value) in child.named_parameters(recurse: false))
                slots[path.Length == 0 ? name : $"{path}.{name}"] = new Slot(owner, name, value);
        }

        return slots;
    }

    private static void Check(
        nn.Module module, ITensorSource checkpoint, SortedDictionary<string, Slot> slots, Func<string, bool>? isSuperfluous)
    {
        var missing = slots.Keys.Where(name => !checkpoint.Entries.ContainsKey(name)).ToList();
        var unexpected = checkpoint.Entries.Keys.Where(name => !slots.ContainsKey(name) && isSuperfluous?.Invoke(name) != true)
            .Order(StringComparer.Ordinal).ToList();
        var mismatched = slots
            .Where(
                slot => checkpoint.Entries.TryGetValue(slot.Key, out var entry)
                    && !entry.Shape.AsSpan().SequenceEqual(slot.Value.Value.shape))
            .Select(
                slot => $"{slot.Key}: the file has [{Join(checkpoint.Entries[slot.Key].Shape)}], the model "
                    + $"[{Join(slot.Value.Value.shape)}]")
            .ToList();
        var integers = slots.Keys
            .Where(
                name => checkpoint.Entries.TryGetValue(name, out var entry)
                    && entry.DType is not (ScalarType.Float64 or ScalarType.Float32 or ScalarType.Float16 or ScalarType.BFloat16))
            .Select(name => $"{name}: {checkpoint.Entries[name].DType} where a floating-point type is needed")
            .ToList();
        if (missing.Count + unexpected.Count + mismatched.Count + integers.Count == 0)
            return;
        var message = new StringBuilder($"{checkpoint.Path} does not fit {module.GetName()}.");
        Append(message, "missing", missing);
        Append(message, "unexpected", unexpected);
        Append(message, "of another shape", mismatched);
        Append(message, "of a wrong type", integers);
        throw new LabException(message.ToString());
    }

    private static void Append(StringBuilder message, string what, List<string> names)
    {
        if (names.Count == 0)
            return;
        message.Append(
            System.Globalization.CultureInfo.InvariantCulture, $" {names.Count} {what}: {string.Join(", ", names.Take(ListedNames))}");
        message.Append(names.Count > ListedNames ? ", …" : ".");
    }

    private static string Join(long[] shape) => string.Join(", ", shape);

    private sealed record Slot(IParameterOwner Owner, string Name, Tensor Value);
}
