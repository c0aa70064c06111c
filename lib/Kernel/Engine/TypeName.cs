namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>Names of types as cells write them.</summary>
internal static class TypeName
{
    /// <summary>
    /// The whole name, for example <c>global::System.Lazy&lt;global::System.Int32&gt;</c>; <c>object</c> for a type that has none.
    /// </summary>
    public static string Of(Type type)
    {
        if (type.IsArray)
            return $"{Of(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        if (!type.IsVisible || type.IsPointer || type.IsByRef || type.Name.Contains('<', StringComparison.Ordinal))
            return "object";
        var arguments = type.GetGenericArguments();
        var outer = type.DeclaringType is { } declaring && !declaring.Name.StartsWith("Cell", StringComparison.Ordinal)
            ? Of(declaring) + "." : type.IsNested ? "" : $"global::{(type.Namespace is null ? "" : type.Namespace + ".")}";
        var tick = type.Name.IndexOf('`', StringComparison.Ordinal);
        return tick < 0 ? outer + type.Name : $"{outer}{type.Name[..tick]}<{string.Join(", ", arguments.Select(Of))}>";
    }
}
