using Dreambooth.Lab.Display;
using Microsoft.DotNet.Interactive.Formatting;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Display;

public sealed class TensorViewTests
{
    [Fact]
    public void Of_Matrix_SaysShapeTypeStatisticsAndAFewValues()
    {
        using var tensor = arange(1, 9, ScalarType.Float32).view(2, 4);
        Assert.Equal(
            "Tensor [2, 4] Float32 on cpu\nmin 1, max 8, mean 4.5, std 2.4495\n1, 2, 3, 4, 5, 6, …", TensorView.Of(tensor).ToString());
    }

    [Fact]
    public void ToHtml_MillionNumbers_StaysShort()
    {
        using var tensor = randn(1000, 1000);
        Assert.InRange(TensorView.Of(tensor).ToHtml().Length, 1, 1000);
    }

    [Theory]
    [InlineData(new long[] { 3, 16, 24 }, true)]
    [InlineData(new long[] { 1, 3, 16, 24 }, true)]
    [InlineData(new long[] { 16, 24 }, false)]
    [InlineData(new long[] { 2, 3, 16, 24 }, false)]
    public void Of_PictureShapes_ShowAPicture(long[] shape, bool isPicture)
    {
        using var tensor = rand(shape);
        var view = TensorView.Of(tensor);
        Assert.Equal(isPicture, view.Picture is not null);
        Assert.Equal(isPicture, view.ToHtml().Contains("<img", StringComparison.Ordinal));
    }

    [Fact]
    public void Of_MetaEmptyAndBool_DoNotFail()
    {
        using var meta = empty([2, 2], ScalarType.Float32, META);
        using var none = empty(0);
        using var flags = tensor(new[] { true, false, true });
        Assert.Equal("Tensor [2, 2] Float32 on meta", TensorView.Of(meta).ToString());
        Assert.Equal("Tensor [0] Float32 on cpu", TensorView.Of(none).ToString());
        Assert.Contains("max 1", TensorView.Of(flags).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Register_Tensor_IsShownByItsView()
    {
        NotebookFormatters.Register();
        using var tensor = zeros(3);
        Assert.Contains("Tensor [3] Float32", tensor.ToDisplayString(HtmlFormatter.MimeType), StringComparison.Ordinal);
        Assert.StartsWith("Tensor [3] Float32", tensor.ToDisplayString(PlainTextFormatter.MimeType), StringComparison.Ordinal);
    }
}
