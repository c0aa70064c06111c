namespace Dreambooth.Lab.Tests.Architecture;

/// <summary>What can be reached along calls. Answers are remembered; a call cycle does not spoil them.</summary>
/// <param name="callsOf">What a node calls.</param>
/// <param name="isGoal">What is looked for.</param>
internal sealed class CallGraph<T>(Func<T, IEnumerable<T>> callsOf, Func<T, bool> isGoal)
    where T : notnull
{
    private readonly Dictionary<T, bool> _known = [];

    /// <summary>Whether a node is a goal or calls one, itself or through others.</summary>
    public bool Reaches(T node)
    {
        lock (_known)
        {
            var seen = new HashSet<T>();
            var reaches = Reaches(node, seen);
            // Only now: a node on a cycle looks clean until the whole cycle has been followed.
            if (!reaches)
                seen.ToList().ForEach(clean => _known[clean] = false);
            return reaches;
        }
    }

    private bool Reaches(T node, HashSet<T> seen)
    {
        if (_known.TryGetValue(node, out var known))
            return known;
        if (!seen.Add(node))
            return false;
        var reaches = isGoal(node) || callsOf(node).Any(called => Reaches(called, seen));
        if (reaches)
            _known[node] = true;
        return reaches;
    }
}
