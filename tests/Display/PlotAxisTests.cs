using Dreambooth.Lab.Display;

namespace Dreambooth.Lab.Tests.Display;

public class PlotAxisTests
{
    [Theory]
    [InlineData(0.93, 1.0)]
    [InlineData(0.31, 0.4)]
    [InlineData(5e-4, 5e-4)]
    [InlineData(0, 1)]
    [InlineData(double.NaN, 1)]
    public void FromZero_Maximum_EndsAtARoundValue(double maximum, double top) =>
        Assert.Equal(top, PlotAxis.FromZero(maximum, 5, 100, 0).To, 12);

    [Fact]
    public void Ticks_Axis_AreRoundAndInside() =>
        Assert.Equal([0, 50, 100, 150, 200, 250, 300, 350], new PlotAxis(0, 350, 0, 1).Ticks(8));

    [Fact]
    public void At_OutsideValues_LieOnTheEnds()
    {
        var axis = new PlotAxis(0, 10, 200, 100);
        Assert.Equal([200, 150, 100, 100, 200], new double[] { 0, 5, 10, 99, -1 }.Select(value => axis.At(value)));
    }

    [Theory]
    [InlineData(0.0005, "5e-4")]
    [InlineData(0.001, "1e-3")]
    [InlineData(0.2, "0.2")]
    [InlineData(350, "350")]
    [InlineData(0, "0")]
    public void Label_Value_IsShort(double value, string text) => Assert.Equal(text, PlotAxis.Label(value));
}
