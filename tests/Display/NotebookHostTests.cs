using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Protocol;
using Dreambooth.Lab.Tests.Kernel;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;

namespace Dreambooth.Lab.Tests.Display;

/// <summary>What the library does by itself in a cell of a notebook.</summary>
[Trait("Category", "Kernel")]
public sealed class NotebookHostTests(NotebookHostTests.OneKernel one) : IClassFixture<NotebookHostTests.OneKernel>
{
    private const string Chart = "new LineChart { Title = \"curve\", Series = [ChartSeries.Of(\"loss\", [3, 2, 1])] }";

    private readonly KernelUnderTest _kernel = one.Kernel;

    [Fact]
    public void LastExpression_Chart_IsShownInEveryFormWithNoCall()
    {
        var data = Data(_kernel.Run(Chart).Published.Single(message => message.Type == "execute_result"));
        Assert.Equal(["application/vnd.plotly.v1+json", "image/png", "text/html", "text/plain"], data.Select(entry => entry.Key).Order());
        Assert.Contains("<svg", data["text/html"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal("loss", data["application/vnd.plotly.v1+json"]!["data"]![0]!["name"]!.ToString());
        Assert.StartsWith("iVBOR", data["image/png"]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void LastExpression_ChartOfPlotlyNet_IsJsonAndPictureWithNoReferenceAndNoScript()
    {
        var data = Data(_kernel.Run(
            "using Plotly.NET.CSharp;\nChart.Line<double, double, string>(x: [1, 2, 3], y: [1, 4, 9], Name: \"squares\")")
            .Published.Single(message => message.Type == "execute_result"));
        Assert.Equal(["application/vnd.plotly.v1+json", "image/png", "text/plain"], data.Select(entry => entry.Key).Order());
        var y = data["application/vnd.plotly.v1+json"]!["data"]![0]!["y"]!.AsArray();
        Assert.Equal([1, 4, 9], y.Select(value => value!.GetValue<double>()));
        Assert.StartsWith("iVBOR", data["image/png"]!.ToString(), StringComparison.Ordinal);
        Assert.Contains("squares: 1 → 9", data["text/plain"]!.ToString(), StringComparison.Ordinal);
        Assert.InRange(data.ToJsonString().Length, 1, 30_000);
        Assert.DoesNotContain("script", data.ToJsonString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Show_LiveView_MovesInItsPlace()
    {
        var published = _kernel.Run(
            "var bar = new ProgressBar { Total = 4, Label = \"work\" }; using (var live = LiveView.Show(bar)) { live.Update(bar with { "
            + "Done = 1 }); live.Update(bar with { Done = 4 }); }").Published;
        var (shown, updates) =
            (published.Single(message => message.Type == "display_data"),
                published.Where(message => message.Type == "update_display_data").ToArray());
        Assert.NotEmpty(updates);
        Assert.All(updates, update => Assert.Equal(DisplayId(shown), DisplayId(update)));
        Assert.Contains("100 % · 4", Data(updates[^1])["text/plain"]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Interrupt_LibraryCallWithNoToken_EndsItAndKeepsVariables()
    {
        static string Text(string path) => JsonValue.Create(path).ToJsonString();
        var load = "using Dreambooth.Lab.Pipelines; var kept = 7; var pipeline = StableDiffusion3Pipeline.Load("
            + $"{Text(TinyPipeline.Folder)}, new PipelineOptions {{ TokenizersFolder = {Text(TinyTokenizers.Root)} }});";
        Assert.Equal("ok", _kernel.Run(load).Reply.Text("status"));
        var id = _kernel.Client.Execute(
            "var many = new GenerationRequest { Prompts = [\"a cat\"], NumInferenceSteps = 1000, NumImagesPerPrompt = 4 }; var last = 0;\n"
            + "pipeline.Generate(many, step => { last = step.Step; if (last == 1) Console.Write(\"running\"); })");
        _kernel.WaitForText(id, "running");
        _kernel.Client.Send(Channel.Control, "interrupt_request", []);
        Assert.Equal("error", _kernel.Collect(id).Reply.Text("status"));
        Assert.Equal(
            "True, 7",
            Data(
                _kernel.Run("$\"{last < 1000}, {kept}\"").Published.Single(
                    message => message.Type == "execute_result"))["text/plain"]!.ToString());
    }

    private static JsonObject Data(JupyterMessage message) => message.Content["data"]!.AsObject();

    private static string DisplayId(JupyterMessage message) => message.Content["transient"]!["display_id"]!.ToString();

    /// <summary>A kernel for all of the tests: starting one takes longer than they do.</summary>
    public sealed class OneKernel : IDisposable
    {
        /// <summary>Starts it, with the library referenced.</summary>
        public OneKernel() =>
            Assert.Equal("ok", Kernel.Run($"#r \"{LabProgram.Assembly}\"\nusing Dreambooth.Lab.Display;").Reply.Text("status"));

        internal KernelUnderTest Kernel { get; } = new();

        public void Dispose() => Kernel.Dispose();
    }
}
