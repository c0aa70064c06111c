using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Dreambooth.Lab.Kernel.Streams;

/// <summary>
/// Shows what native code and child processes write to file descriptors 1 and 2 in the cell that runs: both are replaced by
/// pipes. Unix only; elsewhere such output stays on the kernel's own console.
/// </summary>
internal static partial class NativeOutput
{
    /// <summary>
    /// The environment variable by which a parent process says that it reads standard error itself, and so also sees the last
    /// words of a process that crashes; a pipe inside the process dies with it.
    /// </summary>
    public const string KeepStandardError = "CSHARP_KERNEL_KEEP_STDERR";

    private static readonly List<SafeFileHandle> s_readers = [];

    /// <summary>Replaces both descriptors.</summary>
    /// <returns>A writer to the process's former standard error, for the kernel's own log.</returns>
    public static TextWriter Capture()
    {
        if (OperatingSystem.IsWindows())
            return new StreamWriter(Console.OpenStandardError()) { AutoFlush = true };
        var log = new FileStream(new SafeFileHandle(Dup(2), ownsHandle: true), FileAccess.Write, 1);
        Redirect(1, "stdout");
        if (Environment.GetEnvironmentVariable(KeepStandardError) is null)
            Redirect(2, "stderr");
        return new StreamWriter(log) { AutoFlush = true };
    }

    /// <summary>Waits, at most 100 ms, until what native code has written so far was passed on.</summary>
    public static void Drain()
    {
        if (s_readers.Count == 0)
            return;
        _ = FlushAll(IntPtr.Zero);
        for (var i = 0; i < 100 && s_readers.Any(HasInput); i++)
            Thread.Sleep(1);
    }

    private static unsafe void Redirect(int descriptor, string stream)
    {
        var ends = stackalloc int[2];
        if (CreatePipe(ends) != 0 || Dup2(ends[1], descriptor) < 0)
            return;
        _ = CloseDescriptor(ends[1]);
        var handle = new SafeFileHandle(ends[0], ownsHandle: true);
        s_readers.Add(handle);
        new Thread(() => Forward(handle, stream)) { IsBackground = true, Name = $"native {stream}" }.Start();
    }

    private static void Forward(SafeFileHandle handle, string stream)
    {
        using var file = new FileStream(handle, FileAccess.Read, 1);
        var decoder = Encoding.UTF8.GetDecoder();
        var bytes = new byte[1 << 16];
        var text = new char[bytes.Length + 4];
        while (true)
        {
            var read = file.Read(bytes, 0, bytes.Length);
            if (read <= 0)
                return;
            var count = decoder.GetChars(bytes, 0, read, text, 0);
            CellConsole.Latest?.Stream(stream, new string(text, 0, count));
        }
    }

    private static unsafe bool HasInput(SafeFileHandle handle)
    {
        var poll = new PollDescriptor { Descriptor = (int)handle.DangerousGetHandle(), Events = 1 };
        return PollOnce(&poll, 1, 0) > 0;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    [LibraryImport("libc", EntryPoint = "pipe")]
    private static unsafe partial int CreatePipe(int* ends);

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Dup(int descriptor);

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Dup2(int from, int to);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseDescriptor(int descriptor);

    [LibraryImport("libc", EntryPoint = "fflush")]
    private static partial int FlushAll(IntPtr stream);

    [LibraryImport("libc", EntryPoint = "poll")]
    private static unsafe partial int PollOnce(PollDescriptor* descriptors, nuint count, int milliseconds);
}
