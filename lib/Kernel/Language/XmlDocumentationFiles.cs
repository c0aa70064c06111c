using System.Collections.Concurrent;
using Microsoft.CodeAnalysis;

namespace Dreambooth.Lab.Kernel.Language;

/// <summary>Finds the XML documentation of an assembly: beside it, or for the framework in the SDK's reference packs.</summary>
internal static class XmlDocumentationFiles
{
    private static readonly ConcurrentDictionary<string, DocumentationProvider?> s_known = new();
    private static readonly Lazy<string?> s_pack = new(FindPack);

    /// <summary>The documentation of <paramref name="assembly"/>, or null when there is none on this machine.</summary>
    public static DocumentationProvider? For(string assembly) => s_known.GetOrAdd(assembly, Find);

    private static XmlDocumentation? Find(string assembly)
    {
        var beside = Path.ChangeExtension(assembly, ".xml");
        if (File.Exists(beside))
            return new XmlDocumentation([beside]);
        if (s_pack.Value is null || Path.GetDirectoryName(assembly) != Path.GetDirectoryName(typeof(object).Assembly.Location))
            return null;
        // Implementation assemblies carry other names than the reference assemblies that the documentation belongs to.
        string[] names = Path.GetFileNameWithoutExtension(assembly) switch
        {
            "System.Private.CoreLib" =>
                ["System.Collections", "System.Threading", "System.Runtime.InteropServices", "System.Memory", "System.Runtime"],
            "System.Private.Uri" => ["System.Runtime"],
            "System.Private.Xml" => ["System.Xml.ReaderWriter"],
            "System.Private.Xml.Linq" => ["System.Xml.XDocument"],
            var other => [other],
        };
        return new XmlDocumentation([.. names.Select(n => Path.Combine(s_pack.Value, n + ".xml")).Where(File.Exists)]);
    }

    private static string? FindPack()
    {
        // <dotnet>/shared/Microsoft.NETCore.App/<version> lies beside <dotnet>/packs.
        var framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        var packs = Path.GetFullPath(Path.Combine(framework, "..", "..", "..", "packs", "Microsoft.NETCore.App.Ref"));
        if (!Directory.Exists(packs))
            return null;
        var moniker = $"net{Environment.Version.Major}.{Environment.Version.Minor}";
        return Directory.EnumerateDirectories(packs).OrderDescending(StringComparer.Ordinal)
            .Select(version => Path.Combine(version, "ref", moniker)).FirstOrDefault(Directory.Exists);
    }
}
