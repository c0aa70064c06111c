using System.Text;

namespace Dreambooth.Lab.Foundation;

/// <summary>Slurm's lists of machines, such as <c>gpu[01-04,07],login1</c>.</summary>
internal static class SlurmNodes
{
    /// <summary>The first machine of a list: <c>gpu01</c> of the one above.</summary>
    /// <param name="list">The list, with ranges in brackets.</param>
    /// <exception cref="UsageException">A bracket is not closed, or a name is empty.</exception>
    public static string First(string list)
    {
        var name = new StringBuilder();
        for (var at = 0; at < list.Length && list[at] != ','; at++)
        {
            if (list[at] != '[')
            {
                name.Append(list[at]);
                continue;
            }

            var end = list.IndexOf(']', at);
            if (end < 0)
                throw Unreadable(list);
            var range = list.AsSpan(at + 1, end - at - 1);
            var length = range.IndexOfAny(',', '-');
            name.Append(length < 0 ? range : range[..length]);
            at = end;
        }

        return name.Length > 0 ? name.ToString() : throw Unreadable(list);
    }

    private static UsageException Unreadable(string list) =>
        new($"Slurm's list of machines '{ShownText.Line(list)}' cannot be read. Set MASTER_ADDR to the machine of rank 0.");
}
