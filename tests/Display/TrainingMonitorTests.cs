using Dreambooth.Lab.Display;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Display;

public class TrainingMonitorTests
{
    [Fact]
    public void Events_WholeTraining_AreShownAndTheLastStateStays()
    {
        var monitor = new TrainingMonitor();
        Assert.Equal("Nothing has begun yet.", monitor.View.ToText());
        var shown = new List<object>();
        using (monitor.Live(shown.Add))
        {
            monitor.Events.OnSummary!("3 pictures in photos");
            monitor.Events.OnClassPicture!(1, 2);
            monitor.Events.OnEncoded!(3, 4);
            for (var step = 1; step <= 3; step++)
                monitor.Events.OnStep!(Record(step));
            monitor.Events.OnValidationPicture!(0, new RgbImage(8, 8));
            monitor.Events.OnValidationPicture!(3, new RgbImage(8, 8));
            monitor.Events.OnValidationPicture!(3, new RgbImage(8, 8));
            monitor.Events.OnWarning!("odd");
        }

        var last = Assert.IsType<TrainingView>(shown[^1]);
        Assert.Equal("training", last.Bar!.Label);
        Assert.Equal([1, 2, 3], last.Records.Select(record => record.Step));
        Assert.Equal([3, 3], last.Pictures.Select(picture => picture.Step));
        Assert.StartsWith("3 pictures in photos\n", last.ToText(), StringComparison.Ordinal);
        Assert.Contains("3 pictures in photos", last.ToHtml(), StringComparison.Ordinal);
        Assert.Contains("odd", last.ToText(), StringComparison.Ordinal);
        Assert.Contains("After step 3", last.ToHtml(), StringComparison.Ordinal);
        Assert.Contains("validation", last.ToHtml(), StringComparison.Ordinal);
        monitor.Events.OnClassPicture!(2, 2);
        Assert.Same(last, shown[^1]);
    }

    [Fact]
    public void Events_WatchedPictures_StandAboveThoseWithoutTheIdentifierAndTheNearestPhotos()
    {
        using var photos = new PictureSamples();
        var photo = photos.Add("sleeping.png");
        var monitor = new TrainingMonitor(judge: () => throw new LabException("opened"));
        Assert.Throws<LabException>(() => monitor.Events.OpenJudge!(null!));
        Assert.Null(new TrainingMonitor().Events.OpenJudge);
        Look(2, null);
        Assert.Equal(["with the identifier", "without it"], Headings());
        Look(
            4,
            [
                new WatchedPicture(0, "sleeping.png", 0.912, true, "sleeping.png", 0.25) { Photo = photo },
                new WatchedPicture(1, "gone.png", 0.5, false) { Photo = photo + "x" },
            ]);
        Assert.Equal(["with the identifier", "without it", "nearest photo"], Headings());
        Assert.Equal([4, 4], monitor.View.PicturesWithout.Select(picture => picture.Step));
        var html = HtmlDocument.Parse(monitor.View);
        Assert.Equal(["0.91", "0.50", "0.25", "a copy"], html.Descendants("figure").SelectMany(figure => figure.Elements("figcaption"))
            .Select(caption => caption.Value).Where(text => !text.Contains("steps", StringComparison.Ordinal)));
        Assert.Equal(5, html.Descendants("img").Count(image => image.Attribute("class") is null));
        Assert.Contains(html.Descendants("text"), text => text.Value == "text_encoder");

        string[] Headings() => [.. HtmlDocument.Parse(monitor.View).ByClass("lab-row").Select(heading => heading.Value)];
        void Look(int step, IReadOnlyList<WatchedPicture>? watched)
        {
            for (var i = 0; i < 2; i++)
            {
                monitor.Events.OnValidationPicture!(step, new RgbImage(8, 8));
                monitor.Events.OnPictureWithout!(step, new RgbImage(8, 8));
            }

            var norms = new Dictionary<string, double> { ["transformer"] = 1, ["text_encoder"] = 2 };
            monitor.Events.OnStep!(Record(step) with { Watched = watched, GradNorms = norms });
        }
    }

    [Fact]
    public void Live_NothingHappened_SaysThatNothingWasToDo()
    {
        var shown = new List<object>();
        using (new TrainingMonitor().Live(shown.Add))
        {
            // As where all class pictures are there.
        }

        Assert.Equal("There was nothing to do.", Assert.IsType<TrainingView>(shown[^1]).ToText());
    }

    [Fact]
    public void Records_StepsThatComeAgain_ReplaceThoseThatWereLost()
    {
        var monitor = new TrainingMonitor([Record(1), Record(2), Record(3)]);
        monitor.Events.OnStep!(Record(2) with { Loss = 9 });
        Assert.Equal([(1, 0.5), (2, 9)], monitor.Records.Select(record => (record.Step, record.Loss)));
    }

    private static StepRecord Record(int step) => new()
    {
        Step = step,
        Epoch = 0,
        Loss = 0.5,
        InstanceLoss = 0.4,
        PriorLoss = 0.1,
        ValidationLoss = step == 2 ? null : 0.3,
        LearningRate = 1e-4,
        GradNorm = 1,
        Seconds = 0.1,
        ImagesPerSecond = 10,
    };
}
