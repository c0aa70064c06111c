namespace Dreambooth.Lab.Peft;

/// <summary>What became of one layer that got another rank.</summary>
/// <param name="Before">The layer as it was.</param>
/// <param name="Rank">Its rank now.</param>
/// <param name="Error">The norm of what is left out, as a part of the change's norm.</param>
/// <param name="Norm">The norm of the whole change, its factor included.</param>
internal sealed record LoraResizedLayer(LoraContent Before, int Rank, double Error, double Norm)
{
    /// <summary>The error of several layers together.</summary>
    /// <param name="layers">The layers.</param>
    public static double ErrorOf(IReadOnlyCollection<LoraResizedLayer> layers)
    {
        double left = layers.Sum(layer => Square(layer.Error * layer.Norm)), all = layers.Sum(layer => Square(layer.Norm));
        return all == 0 ? 0 : Math.Sqrt(left / all);
    }

    private static double Square(double value) => value * value;
}
