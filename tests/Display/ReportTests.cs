using System.Xml.Linq;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Tests.Display;

public class ReportTests
{
    [Fact]
    public void ToHtml_Report_IsOneFileThatAsksForNothing()
    {
        var html = HtmlDocument.Parse(Sample());
        Assert.All(
            html.Addresses(),
            address => Assert.True(address.StartsWith('#') || address.StartsWith("data:", StringComparison.Ordinal), address));
        Assert.DoesNotContain("http", Sample().ToHtml(), StringComparison.OrdinalIgnoreCase);
        Assert.All(Enum.GetValues<ViewAsset>(), asset => Assert.DoesNotMatch("url\\(|@import|https?:", ViewAssets.Text(asset)));
    }

    [Fact]
    public void ToHtml_Report_HasLightAndDarkOnce()
    {
        var html = HtmlDocument.Parse(Sample());
        var style = html.Descendants("style").Single().Value;
        Assert.Contains("color-scheme: light dark", style, StringComparison.Ordinal);
        Assert.Single(html.Descendants("script"));
    }

    [Fact]
    public void ToHtml_HostileTexts_StayTexts()
    {
        const string Hostile = "</style><img src=x onerror=alert(1)>";
        var report = new Report
        {
            Title = Hostile,
            Lead = Hostile,
            Facts = [(Hostile, Hostile)],
            Footer = Hostile,
            Sections =
                [new ReportSection(Hostile, Hostile, [new TextTable { Columns = [Hostile], Rows = [[Hostile]] }]),
                    new ReportSection("b", "", [])],
        };
        var html = HtmlDocument.Parse(report);
        Assert.Empty(html.Descendants("img"));
        // The window's title, h1, lead, fact and its label, link, h2, text, heading, cell, footer.
        Assert.Equal(11, html.Descendants().Count(element => !element.HasElements && element.Value == Hostile));
    }

    [Fact]
    public void ToHtml_Sections_AreReachedFromTheTop()
    {
        var html = HtmlDocument.Parse(Sample());
        var ids = html.Descendants().Attributes("id").Select(id => "#" + id.Value).ToArray();
        Assert.Equal(ids, html.Descendants("a").Select(link => link.Attribute("href")!.Value));
        Assert.Equal(2, ids.Distinct().Count());
    }

    [Fact]
    public void TextTable_Figures_StandRight()
    {
        var html = HtmlDocument.Parse(new TextTable { Columns = ["what", "how much"], Rows = [["a", "1.5 s"], ["b", "–"]] });
        Assert.Equal([null, "lab-figure", null, "lab-figure"], html.Descendants("td").Select(cell => (string?)cell.Attribute("class")));
    }

    [Fact]
    public void TextTable_RowOfAnotherLength_IsRefused() =>
        Assert.Throws<LabException>(() => new TextTable { Columns = ["a", "b"], Rows = [["1"]] }.ToHtml());

    private static Report Sample() => new()
    {
        Title = "T",
        Facts = [("steps", "3")],
        Sections =
        [
            new ReportSection("One", "Text", [ImageGrid.Of([GridCell.Of(new RgbImage(2, 2), "a"), GridCell.Of(new RgbImage(2, 2))], 2)]),
            new ReportSection("Two", "", [new LossPlot { Records = [] }]),
        ],
    };
}
