using System.Xml.Linq;
using Dreambooth.Lab.Display;

namespace Dreambooth.Lab.Tests.Display;

/// <summary>Reads the HTML that the lab writes, which must be well-formed XML.</summary>
internal static class HtmlDocument
{
    public static XElement Parse(HtmlView view) => XElement.Parse(view.ToHtml());

    public static XElement Parse(Report report) => XDocument.Parse(report.ToHtml()).Root!;

    public static IEnumerable<XElement> ByClass(this XElement root, string name) =>
        root.Descendants().Where(element => ((string?)element.Attribute("class"))?.Split(' ').Contains(name) == true);

    /// <summary>Everything a browser would fetch.</summary>
    public static IEnumerable<string> Addresses(this XElement root) =>
        root.Descendants().Attributes().Where(attribute => attribute.Name.LocalName is "src" or "href" or "srcset" or "data" or "poster")
            .Select(attribute => attribute.Value);
}
