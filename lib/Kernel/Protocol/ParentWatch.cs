using System.Diagnostics;
using System.Globalization;

namespace Dreambooth.Lab.Kernel.Protocol;

/// <summary>Notices that the process that started the kernel is gone, so that a kernel whose server crashed does not stay for ever.</summary>
internal static class ParentWatch
{
    /// <summary>The environment variable in which Jupyter clients leave their process id.</summary>
    public const string Variable = "JPY_PARENT_PID";

    /// <summary>Calls <paramref name="gone"/> once the parent has ended; does nothing when no parent is named.</summary>
    /// <param name="gone">Called on a thread of its own.</param>
    public static void Start(Action gone)
    {
        if (!int.TryParse(Environment.GetEnvironmentVariable(Variable), CultureInfo.InvariantCulture, out var id) || id <= 1)
            return;
        Process parent;
        try
        {
            parent = Process.GetProcessById(id);
        }
        catch (ArgumentException)
        {
            // Not visible from here, for example in another container: no ground to end.
            return;
        }

        new Thread(() =>
        {
            while (!parent.HasExited)
                Thread.Sleep(1000);
            gone();
        })
        { IsBackground = true, Name = "parent watch" }.Start();
    }
}
