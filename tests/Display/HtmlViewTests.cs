using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Imaging;
using Microsoft.DotNet.Interactive.Formatting;

namespace Dreambooth.Lab.Tests.Display;

/// <summary>What holds for every view.</summary>
public class HtmlViewTests
{
    private const string Hostile = "</style></svg><script>alert(1)</script><img src=x onerror=alert(2)> & \"gmc' cat";

    /// <summary>The names of all views.</summary>
    public static TheoryData<string> Names => [.. ViewSamples.All("a").Select(entry => entry.Name)];

    /// <summary>The names of the charts.</summary>
    public static TheoryData<string> Charts =>
        [.. ViewSamples.All("a").Where(entry => entry.View is ChartView).Select(entry => entry.Name)];

    [Fact]
    public void Samples_EveryKindOfView_IsAmongThem()
    {
        var kinds = ViewSamples.All("a").Select(entry => entry.View.GetType()).ToHashSet();
        string[] components =
            ["ImageGrid", "LossPlot", "MemoryChart", "MemoryTable", "ConfigTable", "ProgressBar", "TokenView",
                "AttentionOverlay", "LineChart", "BarChart", "ScatterChart", "ComparisonRating", "FactList", "TextTable"];
        Assert.Superset(components.ToHashSet(), kinds.Select(kind => kind.Name).ToHashSet());
        Assert.All(kinds, kind => Assert.True(kind.IsSealed, kind.Name));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ToHtml_HostileTexts_StayTexts(string name)
    {
        var (hostile, plain) = (HtmlDocument.Parse(View(name, Hostile)), HtmlDocument.Parse(View(name, "gmc' cat")));
        Assert.Equal(Count(plain, "script"), Count(hostile, "script"));
        Assert.Equal(Count(plain, "img"), Count(hostile, "img"));
        Assert.DoesNotContain(
            hostile.Descendants().Attributes(), attribute => attribute.Name.LocalName.StartsWith("on", StringComparison.OrdinalIgnoreCase));
        static int Count(XElement root, string tag) => root.Descendants(tag).Count();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ToHtml_View_AsksForNothingOverTheNetwork(string name)
    {
        var view = View(name, "a photo of gmc cat");
        Assert.DoesNotContain("http", Regex.Replace(view.ToHtml(), "base64,[^\"]*", string.Empty), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("http", view.ToPlotlyJson() ?? string.Empty, StringComparison.OrdinalIgnoreCase);
        Assert.All(HtmlDocument.Parse(view).Addresses(), address => Assert.StartsWith("data:image/", address, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void EveryForm_SameView_IsTheSame(string name)
    {
        var (one, other) = (View(name, "a photo of gmc cat"), View(name, "a photo of gmc cat"));
        Assert.Equal(one.ToHtml(), other.ToHtml());
        Assert.Equal(one.ToText(), other.ToText());
        Assert.Equal(one.ToPng(), other.ToPng());
        Assert.Equal(one.ToPlotlyJson(), other.ToPlotlyJson());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void EveryForm_View_IsSmall(string name)
    {
        var view = View(name, "a photo of gmc cat");
        Assert.InRange(view.ToHtml().Length, 1, 80_000);
        Assert.InRange(view.ToPng()?.Length ?? 1, 1, 25_000);
        Assert.InRange(view.ToPlotlyJson()?.Length ?? 1, 1, 25_000);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ToText_View_SaysWhatItShows(string name)
    {
        var text = View(name, "a photo of gmc cat").ToText();
        Assert.Matches(@"gmc|g·105|\bPair 1 of 2", text);
        Assert.DoesNotMatch(@"<\w+|&amp;|Dreambooth\.Lab|System\.", text);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Format_View_IsShownInEveryFormWithNoRegistration(string name)
    {
        var view = View(name, "a photo of gmc cat");
        Assert.Equal(view.ToHtml(), view.ToDisplayString(HtmlFormatter.MimeType));
        Assert.Equal(view.ToText(), view.ToDisplayString(PlainTextFormatter.MimeType));
        var types = Formatter.GetPreferredMimeTypesFor(view.GetType());
        Assert.Equal(view is ChartView, types.Contains(NotebookFormatters.PlotlyMimeType));
        Assert.Equal(view is ChartView, types.Contains("image/png"));
        if (view is ChartView)
            Assert.Equal(view.ToPng(), Convert.FromBase64String(view.ToDisplayString("image/png")));
    }

    [Theory]
    [MemberData(nameof(Charts))]
    public void ToPng_Chart_IsAPictureOfItsSizeWithItsColors(string name)
    {
        var picture = ImageDecoder.Decode(View(name, "a").ToPng()!, name);
        Assert.Equal(960, picture.Width);
        Assert.InRange(picture.Height, 300, 700);
        Assert.Equal((0xFC, 0xFB, 0xF9), picture[1, 1]);
        var pixels = Enumerable.Range(0, picture.Width * picture.Height).Select(i => picture[i % picture.Width, i / picture.Width])
            .ToHashSet();
        Assert.Contains(((byte)0x1F, (byte)0x7A, (byte)0x74), pixels);
    }

    [Theory]
    [MemberData(nameof(Charts))]
    public void ToPlotlyJson_Chart_HasEverySeriesAndNoMarkup(string name)
    {
        var chart = (ChartView)View(name, Hostile);
        using var json = JsonDocument.Parse(chart.ToPlotlyJson());
        var traces = json.RootElement.GetProperty("data").EnumerateArray().ToArray();
        Assert.Equal(chart.Drawn().Series.Count(), traces.Length);
        Assert.All(traces, trace => Assert.Equal(trace.GetProperty("x").GetArrayLength(), trace.GetProperty("y").GetArrayLength()));
        Assert.DoesNotMatch(new Regex(@"(?i)<img|<script|\\u003c(img|script)"), chart.ToPlotlyJson());
        Assert.True(json.RootElement.TryGetProperty("layout", out _));
    }

    [Fact]
    public void ToHtml_EmptyChart_SaysSoInEveryForm()
    {
        var chart = new LineChart { Series = [] };
        Assert.Contains("Nothing to draw yet.", chart.ToHtml(), StringComparison.Ordinal);
        Assert.Contains("Nothing to draw yet.", chart.ToPlotlyJson(), StringComparison.Ordinal);
        Assert.Equal(960, ImageDecoder.Decode(chart.ToPng(), "empty").Width);
    }

    private static HtmlView View(string name, string text) => ViewSamples.All(text).Single(entry => entry.Name == name).View;
}
