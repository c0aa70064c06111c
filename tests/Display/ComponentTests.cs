using Dreambooth.Lab.Display;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Display;

/// <summary>What single components do beside what holds for all (<see cref="HtmlViewTests"/>).</summary>
public class ComponentTests
{
    [Fact]
    public void ConfigTable_ChangedOptions_AreMarkedUnderTheirGroups()
    {
        var table = ConfigTable.Of(ViewSamples.Config with { Rank = 16, AdamEpsilon = 1e-6 }, ViewSamples.Config);
        Assert.Equal(
            ["adam_epsilon", "rank"], table.Rows.Where(row => row.IsChanged).Select(row => row.Name).Order(StringComparer.Ordinal));
        var html = HtmlDocument.Parse(table);
        Assert.Equal(
            ["OptimizerX", "LoRAX"],
            html.ByClass("lab-group-row").Take(2).Select(row => row.Value.Trim() + "X").OrderByDescending(text => text));
        Assert.Equal(2, html.ByClass("lab-changed").Count());
        Assert.Contains("* adam_epsilon = 1e-6  (default: 1e-8)", table.ToText(), StringComparison.Ordinal);
        Assert.Equal(DreamBoothConfig.Flags.All.Count, table.Rows.Count);
    }

    [Fact]
    public void ConfigTable_RecordWithoutOptions_ShowsItsProperties()
    {
        var table = ConfigTable.Of(new PictureEmbedding { Quality = 40 });
        Assert.Equal(["Format", "Quality", "Scale"], table.Rows.Select(row => row.Name));
        Assert.Equal("* Quality = 40  (default: 80)\n(2 more at their defaults)", table.ToText());
    }

    [Fact]
    public void ProgressBar_HalfDone_SaysRateAndTimeLeft()
    {
        var bar = ViewSamples.Progress(string.Empty) with { Label = "training" };
        Assert.Equal("training [##########--------------] 40 % · 140/350 steps · 2.0 steps/s · 1:45 left", bar.ToText());
        Assert.EndsWith("99 % · 349/350 steps · 5.0 steps/s · 0:00 left", (bar with { Done = 349 }).ToText(), StringComparison.Ordinal);
        Assert.EndsWith("100 % · 350/350 steps · 5.0 steps/s · 1:10 in all", (bar with { Done = 350 }).ToText(), StringComparison.Ordinal);
        Assert.EndsWith("2.0 s each · 7:00 left", (bar with { Unit = "", DoneAtStart = 105 }).ToText(), StringComparison.Ordinal);
        Assert.Equal("training 140 steps · 2.0 steps/s", (bar with { Total = 0 }).ToText());
    }

    [Fact]
    public void TokenView_Identifier_IsMarkedWhereverItsTokensAre()
    {
        var view = (TokenView)ViewSamples.All("gmc, Gmc gm c").Single(entry => entry.Name == "tokens").View;
        var row = view.Rows.Single();
        Assert.Equal(
            "gmc,Gmcgmc", string.Concat(row.Tokens.Where(token => !token.IsSpecial && token.Text != " ").Select(token => token.Text)));
        Assert.Equal("gmcGmcgmc", string.Concat(row.Tokens.Where(token => token.IsIdentifier).Select(token => token.Text)));
        Assert.Equal(77, row.Tokens.Count + row.Padding);
        Assert.Equal([0, 1], row.Tokens.Where(token => token.IsSpecial).Select(token => token.Id));
        Assert.Equal("+ 62", HtmlDocument.Parse(view).Descendants("span").Last(span => !span.HasElements).Value);
    }

    [Fact]
    public void AttentionOverlay_Tensor_IsStretchedAndBrightestWhereItIsLargest()
    {
        using var map = tensor(new[,] { { -2f, 0f }, { 0f, 6f } });
        var overlay = AttentionOverlay.Of(new RgbImage(16, 16), map, "gmc");
        Assert.Equal((0.0, 0.25, 1.0), (overlay.Map[0, 0], overlay.Map[0, 1], overlay.Map[1, 1]));
        Assert.Equal(("-2", "6"), overlay.Range);
        Assert.True(overlay.ToImage()[14, 14].Red > overlay.ToImage()[1, 1].Red + 100);
        Assert.Contains("row 1, column 1", overlay.ToText(), StringComparison.Ordinal);
        using var wrong = zeros(3);
        Assert.Throws<LabException>(() => AttentionOverlay.Of(new RgbImage(1, 1), wrong));
    }

    [Fact]
    public void AttentionOverlay_NoOpacity_IsThePicture() =>
        Assert.Equal(ViewSamples.Picture(0).Pixels, (ViewSamples.Overlay("a") with { Opacity = 0 }).ToImage().Pixels);

    [Fact]
    public void ComparisonRating_Choices_CountForTheKindAndNotForTheSide()
    {
        var rating = new ComparisonRating
        {
            Pairs = [.. Enumerable.Range(0, 40)
                .Select(_ => new ComparisonPair(GridCell.Of(new RgbImage(1, 1)), GridCell.Of(new RgbImage(1, 1))))],
            Seed = 3,
        };
        while (!rating.IsDone)
            rating.Choose("left");
        var first = rating.Choices.Count(choice => choice == ComparisonChoice.First);
        Assert.InRange(first, 8, 32);
        Assert.Contains(first.ToString(System.Globalization.CultureInfo.InvariantCulture), rating.Summary().Rows[0]);
        Assert.Throws<LabException>(() => rating.Choose("left"));
        Assert.Contains("\"middle\"", Assert.Throws<LabException>(() => rating.Undo().Choose("middle")).Message, StringComparison.Ordinal);
        Assert.Equal(39, rating.Choices.Count);
    }

    [Fact]
    public void ComparisonRating_Html_DoesNotTellWhichIsWhich()
    {
        var html = ViewSamples.Rating("which shows the cat on a beach?").ToHtml();
        Assert.DoesNotContain("LoRA scale 1.0", html, StringComparison.Ordinal);
        Assert.DoesNotMatch("\"first\"|\"second\"|>first<|>second<", html);
    }

    [Fact]
    public void LiveView_ManyUpdates_ShowsFewAndTheLast()
    {
        var time = new ManualTime();
        List<string> shown = [];
        var made = 0;
        using (var live = new LiveView(view => shown.Add(view.ToString()!), TimeSpan.FromSeconds(0.5), time))
        {
            for (var step = 1; step <= 100; step++)
            {
                var done = step;
                live.Update(() =>
                {
                    made++;
                    return new FactList([("step", $"{done}")]);
                });
                time.Now += TimeSpan.FromSeconds(0.02);
            }
        }

        Assert.Equal(["step: 1", "step: 26", "step: 51", "step: 76", "step: 100"], shown);
        Assert.Equal(5, made);
    }

    [Fact]
    public void LiveView_UpdatesThatTakeLong_TakeATenthOfTheTime()
    {
        var time = new ManualTime();
        var shown = 0;
        using (var live = new LiveView(
            _ =>
            {
                shown++;
                time.Now += TimeSpan.FromSeconds(0.4);
            }, TimeSpan.FromSeconds(0.5), time))
        {
            for (var step = 0; step < 400; step++)
            {
                time.Now += TimeSpan.FromSeconds(0.1);
                live.Update(new FactList([("step", $"{step}")]));
            }
        }

        // 40 seconds of work, 3.6 between two updates; the thirteenth is what was held back.
        Assert.Equal(13, shown);
    }

    [Fact]
    public void ImageGrid_LargePictures_AreEmbeddedSmall()
    {
        var picture = new RgbImage(1024, 512);
        for (var i = 0; i < picture.Pixels.Length; i++)
            picture.Pixels[i] = (byte)(i * 7919 >> 5);
        var grid = ImageGrid.Of([GridCell.Of(picture)], 1) with { CellSize = 200 };
        RgbImage Shown(PictureEmbedding embedding, string type)
        {
            var source = HtmlDocument.Parse(grid with { Embedding = embedding }).Descendants("img").Single().Attribute("src")!.Value;
            Assert.StartsWith($"data:image/{type};base64,", source, StringComparison.Ordinal);
            return ImageDecoder.Decode(Convert.FromBase64String(source.Split(',')[1]), "test");
        }

        Assert.Equal((300, 150), (Shown(PictureEmbedding.Small, "webp").Width, Shown(PictureEmbedding.Small, "webp").Height));
        Assert.Equal(100, Shown(new() { Format = PictureFormat.Jpeg, Scale = 0.5 }, "jpeg").Width);
        Assert.Equal(1024, Shown(PictureEmbedding.Original, "png").Width);
    }

    [Fact]
    public void MemoryTable_Columns_AreOnlyThoseWithFigures()
    {
        var text = new MemoryTable { Rows = [new MemoryRow("weights", 3L << 30), new MemoryRow("all", null, null, 500L << 20)] }.ToText();
        Assert.Contains("3.0 GiB", text, StringComparison.Ordinal);
        Assert.Contains("500 MiB", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Reserved", text, StringComparison.Ordinal);
        Assert.Contains("allocated: what tensors take; resident: what", text, StringComparison.Ordinal);
    }

    private sealed class ManualTime : TimeProvider
    {
        public TimeSpan Now { get; set; } = TimeSpan.FromHours(1);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
