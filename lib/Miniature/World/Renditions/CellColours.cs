namespace Dreambooth.Lab.Miniature.World.Renditions;

/// <summary>The mean colours of cells, of the subject's pixels and of the others apart.</summary>
internal sealed class CellColours
{
    private readonly float[] _sums;

    /// <summary>Averages a picture over cells.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="cells">The cell of every pixel, 0 to <paramref name="count"/> - 1.</param>
    /// <param name="count">How many cells there are.</param>
    public CellColours(Composition picture, int[] cells, int count)
    {
        _sums = new float[count * 8];
        for (var i = 0; i < cells.Length; i++)
        {
            var at = Slot(cells[i], picture.Mask[i]);
            for (var channel = 0; channel < 3; channel++)
                _sums[at + channel] += picture.Rgba[(4 * i) + channel];
            _sums[at + 3]++;
        }
    }

    /// <summary>The mean colour of a cell's part.</summary>
    public (float Red, float Green, float Blue) Of(int cell, byte mask)
    {
        var at = Slot(cell, mask);
        var weight = 1 / MathF.Max(_sums[at + 3], 1);
        return (_sums[at] * weight, _sums[at + 1] * weight, _sums[at + 2] * weight);
    }

    /// <summary>Whether most of a cell is the subject's.</summary>
    public bool IsSubject(int cell) => _sums[(cell * 8) + 7] >= _sums[(cell * 8) + 3];

    private static int Slot(int cell, byte mask) => (cell * 8) + (mask > 127 ? 4 : 0);
}
