using System.Reflection;
using System.Runtime.CompilerServices;

namespace Dreambooth.Lab.Tests.Architecture;

/// <summary>A record prints its public properties: one that computes a record of its own kind would print itself without end.</summary>
public class RecordPrintingTests
{
    [Fact]
    public void Records_OfTheLabAndItsKernel_PrintToAnEnd()
    {
        Type[] types = [.. typeof(Lab.Sweeps.SweepItem).Assembly.GetTypes(), .. typeof(Lab.Kernel.KernelOptions).Assembly.GetTypes()];
        var records = types.Where(IsRecord).ToHashSet();
        var edges = records.SelectMany(r => Printed(r).Where(p => records.Contains(p.PropertyType))).ToLookup(p => p.DeclaringType!);
        var endless = edges.SelectMany(group => group)
            .Where(p => IsComputed(p) && Reaches(p.PropertyType, p.DeclaringType!, edges)).Select(p => $"{p.DeclaringType!.Name}.{p.Name}");
        Assert.True(records.Count > 50);
        Assert.Empty(endless);
    }

    [Fact]
    public void ToString_SweepItemAndResult_SayTheirSettings()
    {
        var item = new Lab.Sweeps.SweepItem { Prompt = "a cat", Seed = 7 };
        Assert.Contains("Prompt = a cat", item.ToString(), StringComparison.Ordinal);
        var result = new Lab.Sweeps.SweepResult { Path = "a.png", Item = item, Seconds = 1.5 };
        Assert.Contains("Seed = 7", result.ToString(), StringComparison.Ordinal);
    }

    private const BindingFlags Own = BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.DeclaredOnly;

    private static bool IsRecord(Type type) =>
        type.GetMethod("PrintMembers", Own) is { } print
        && print.IsDefined(typeof(CompilerGeneratedAttribute));

    private static IEnumerable<PropertyInfo> Printed(Type record) =>
        record.GetProperties(Own).Where(p => p.GetMethod?.IsPublic == true);

    private static bool IsComputed(PropertyInfo property) =>
        property.DeclaringType!.GetField($"<{property.Name}>k__BackingField", BindingFlags.Instance | BindingFlags.NonPublic) is null;

    private static bool Reaches(Type from, Type to, ILookup<Type, PropertyInfo> edges)
    {
        var (open, seen) = (new Stack<Type>([from]), new HashSet<Type>());
        while (open.TryPop(out var type))
        {
            if (type == to)
                return true;
            if (seen.Add(type))
                edges[type].ToList().ForEach(p => open.Push(p.PropertyType));
        }

        return false;
    }
}
