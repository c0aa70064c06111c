namespace Dreambooth.Lab.Miniature.World.Renditions;

/// <summary>A plane cut into cells round scattered points (a Voronoi diagram of a jittered grid).</summary>
internal sealed class CellMap
{
    /// <summary>Cuts a square image into cells.</summary>
    /// <param name="size">The image's side in pixels.</param>
    /// <param name="cell">The mean width of a cell in pixels.</param>
    /// <param name="jitter">How far points stray from the grid: 0 to 0.5.</param>
    /// <param name="random">Scatters the points.</param>
    public CellMap(int size, float cell, float jitter, SeededRandom random)
    {
        var side = (int)MathF.Ceiling(size / cell) + 2;
        Count = side * side;
        X = new float[Count];
        Y = new float[Count];
        for (var i = 0; i < Count; i++)
        {
            X[i] = ((i % side) - 0.5f + random.Range(-jitter, jitter)) * cell;
            Y[i] = ((i / side) - 0.5f + random.Range(-jitter, jitter)) * cell;
        }

        Cell = new int[size * size];
        Border = new float[size * size];
        for (var y = 0; y < size; y++)
        {
            for (var x = 0; x < size; x++)
                Find(x, y, size, cell, side);
        }
    }

    /// <summary>How many cells there are.</summary>
    public int Count { get; }

    /// <summary>The points' columns.</summary>
    public float[] X { get; }

    /// <summary>The points' rows.</summary>
    public float[] Y { get; }

    /// <summary>The cell of every pixel.</summary>
    public int[] Cell { get; }

    /// <summary>About how far every pixel is from its cell's border, in pixels.</summary>
    public float[] Border { get; }

    private void Find(int x, int y, int size, float cell, int side)
    {
        var (gx, gy) = ((int)((x / cell) + 1), (int)((y / cell) + 1));
        var (best, second, at, next) = (float.MaxValue, float.MaxValue, 0, 0);
        for (var j = Math.Max(gy - 1, 0); j <= Math.Min(gy + 1, side - 1); j++)
        {
            for (var i = Math.Max(gx - 1, 0); i <= Math.Min(gx + 1, side - 1); i++)
            {
                var k = (j * side) + i;
                var (dx, dy) = (X[k] - x, Y[k] - y);
                var distance = (dx * dx) + (dy * dy);
                if (distance < best)
                    (second, next, best, at) = (best, at, distance, k);
                else if (distance < second)
                    (second, next) = (distance, k);
            }
        }

        var (bx, by) = (X[at] - X[next], Y[at] - Y[next]);
        Cell[(y * size) + x] = at;
        Border[(y * size) + x] = (second - best) / (2 * MathF.Max(MathF.Sqrt((bx * bx) + (by * by)), 0.01f));
    }
}
