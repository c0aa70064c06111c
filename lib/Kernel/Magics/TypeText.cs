namespace Dreambooth.Lab.Kernel.Magics;

/// <summary>Type names as a C# reader writes them.</summary>
internal static class TypeText
{
    /// <summary>For example <c>List&lt;Int32&gt;</c> instead of <c>List`1</c>.</summary>
    public static string Of(Type type)
    {
        if (type.IsArray)
            return Of(type.GetElementType()!) + "[]";
        if (!type.IsGenericType)
            return type.Name;
        var name = type.Name;
        var tick = name.IndexOf('`', StringComparison.Ordinal);
        return $"{(tick < 0 ? name : name[..tick])}<{string.Join(", ", type.GetGenericArguments().Select(Of))}>";
    }
}
