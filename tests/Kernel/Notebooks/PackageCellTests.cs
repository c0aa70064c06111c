using System.Text.Json.Nodes;

namespace Dreambooth.Lab.Tests.Kernel.Notebooks;

/// <summary>Charts of Plotly.NET and tables of Microsoft.Data.Analysis, with packages of the internet.</summary>
[Trait("Category", "Kernel")]
public sealed class PackageCellTests : IDisposable
{
    private const string Chart = "Plotly.NET.CSharp.Chart.Line<int, int, string>(new[] { 1, 2 }, new[] { 3, 4 })";
    private readonly KernelUnderTest _kernel = new();

    public void Dispose() => _kernel.Dispose();

    [Fact]
    public void Run_ChartWithNoReference_IsPlotlysJsonAndAPictureWithNothingFromTheNetwork()
    {
        AssertChart(Result(Chart));
        Assert.Equal("True", Result(
            "AppDomain.CurrentDomain.GetAssemblies().Any(a => a.GetName().Name == \"Plotly.NET.Interactive\")")["text/plain"]!.ToString());
    }

    [Fact]
    public void Run_PackagesByName_ShowTheirChartsAndTables()
    {
        AssertChart(Result("#r \"nuget: Plotly.NET.Interactive, 6.0.0\"\n" + Chart));
        AssertChart(Result(Chart));
        var frame = Result("""
            #r "nuget: Microsoft.Data.Analysis, 0.22.2"
            using Microsoft.Data.Analysis;
            new DataFrame(new Int32DataFrameColumn("steps", new[] { 71, 72 }), new StringDataFrameColumn("name", new[] { "a", "b" }))
            """);
        var html = frame["text/html"]!.ToString();
        Assert.StartsWith("<table", html, StringComparison.Ordinal);
        Assert.All(["steps", "name", "71", "72"], text => Assert.Contains(text, html, StringComparison.Ordinal));
        Assert.Equal("2", Result("1 + 1")["text/plain"]!.ToString());
    }

    private JsonObject Result(string code)
    {
        var (reply, published) = _kernel.Run(code);
        Assert.True(reply.Text("status") == "ok", reply.Content.ToJsonString());
        return published.Single(message => message.Type == "execute_result").Content["data"]!.AsObject();
    }

    private static void AssertChart(JsonObject data)
    {
        Assert.Equal("lines", data["application/vnd.plotly.v1+json"]!["data"]![0]!["mode"]!.ToString());
        Assert.StartsWith("iVBORw0KGgo", data["image/png"]!.ToString(), StringComparison.Ordinal);
        Assert.StartsWith("A figure of Plotly (scatter)", data["text/plain"]!.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("text/html", data.Select(form => form.Key));
        Assert.DoesNotContain("cdn", data.ToJsonString(), StringComparison.OrdinalIgnoreCase);
    }
}
