using System.Collections.Concurrent;
using System.Globalization;
using System.Xml;
using Microsoft.CodeAnalysis;

namespace Dreambooth.Lab.Kernel.Language;

/// <summary>The documentation of one assembly, which may be spread over several files; each is read when it is needed first.</summary>
/// <param name="files">The files, the likeliest first.</param>
internal sealed class XmlDocumentation(IReadOnlyList<string> files) : DocumentationProvider
{
    private static readonly ConcurrentDictionary<string, Lazy<Dictionary<string, string>>> s_read = new();

    /// <inheritdoc/>
    public override bool Equals(object? obj) => ReferenceEquals(this, obj);

    /// <inheritdoc/>
    public override int GetHashCode() => files.Count > 0 ? StringComparer.Ordinal.GetHashCode(files[0]) : 0;

    /// <inheritdoc/>
    protected override string? GetDocumentationForSymbol(
        string documentationMemberID, CultureInfo preferredCulture, CancellationToken cancellationToken = default)
    {
        foreach (var file in files)
        {
            if (s_read.GetOrAdd(
                file, f => new Lazy<Dictionary<string, string>>(() => Read(f))).Value.TryGetValue(documentationMemberID, out var xml))
                return xml;
        }

        return "";
    }

    private static Dictionary<string, string> Read(string file)
    {
        var members = new Dictionary<string, string>();
        try
        {
            using var reader = XmlReader.Create(file);
            while (!reader.EOF)
            {
                if (reader.NodeType == XmlNodeType.Element && reader.Name == "member" && reader.GetAttribute("name") is { } name)
                    members[name] = reader.ReadOuterXml();
                else
                    reader.Read();
            }
        }
        catch (Exception e) when (e is XmlException or IOException or UnauthorizedAccessException)
        {
            // What could be read is shown.
        }

        return members;
    }
}
