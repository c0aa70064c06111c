using System.Diagnostics;
using System.Globalization;

namespace Dreambooth.Lab.Kernel.Protocol;

/// <summary>
/// Notices that the process that started the kernel is gone, so that a kernel whose server crashed does not stay for ever.
/// </summary>
internal static class ParentWatch
{
    /// <summary>The environment variable in which Jupyter clients leave their process id.</summary>
    public const string Variable = "JPY_PARENT_PID";

    /// <summary>
    /// The environment variable by which a parent says that it holds the other end of standard input as long as it lives: the pipe closes
    /// with the parent, however early that ends.
    /// </summary>
    public const string PipeVariable = "CSHARP_KERNEL_PARENT_HOLDS_STDIN";

    /// <summary>Calls <paramref name="gone"/> once the parent has ended; does nothing when no parent is named.</summary>
    /// <param name="gone">Called on a thread of its own.</param>
    public static void Start(Action gone)
    {
        if (Environment.GetEnvironmentVariable(PipeVariable) is not null)
        {
            var pipe = Console.OpenStandardInput();
            StartThread(() => ReadToEnd(pipe), gone);
            return;
        }

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

        StartThread(
            () =>
            {
                while (!parent.HasExited)
                    Thread.Sleep(1000);
            },
            gone);
    }

    private static void StartThread(Action wait, Action gone) => new Thread(() =>
    {
        wait();
        gone();
    })
    { IsBackground = true, Name = "parent watch" }.Start();

    private static void ReadToEnd(Stream pipe)
    {
        var bytes = new byte[64];
        try
        {
            while (pipe.Read(bytes, 0, bytes.Length) > 0)
            {
            }
        }
        catch (IOException)
        {
            // A broken pipe is a closed one.
        }
    }
}
