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

    private const int LargePipe = 1 << 20;

    private static readonly List<Reader> s_readers = [];

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

    /// <summary>
    /// Passes on what native code and child processes have written so far; when it returns, all of it is in the cell's output.
    /// </summary>
    public static void Drain()
    {
        if (s_readers.Count == 0)
            return;
        _ = FlushAll(IntPtr.Zero);
        s_readers.ForEach(reader => reader.Drain());
    }

    private static unsafe void Redirect(int descriptor, string stream)
    {
        var ends = stackalloc int[2];
        if (CreatePipe(ends) != 0)
            return;
        if (descriptor == 2)
            LetLastWordsPass(ends[1]);
        if (Dup2(ends[1], descriptor) < 0)
            return;
        _ = CloseDescriptor(ends[1]);
        var reader = new Reader(new FileStream(new SafeFileHandle(ends[0], ownsHandle: true), FileAccess.Read, 1), stream);
        s_readers.Add(reader);
        new Thread(reader.Forward) { IsBackground = true, Name = $"native {stream}" }.Start();
    }

    // A process that dies of a stack overflow writes its trace here after its threads were stopped, the reader among them: a full pipe
    // would hold it for ever. The pipe is made large, and
    // what does not fit is dropped, also of child processes, which inherit it.
    private static void LetLastWordsPass(int end)
    {
        const int GetFlags = 3, SetFlags = 4, SetPipeSize = 1031, NonBlocking = 0x800;
        if (!OperatingSystem.IsLinux())
            return;
        _ = Control(end, SetPipeSize, LargePipe);
        var flags = Control(end, GetFlags, 0);
        if (flags >= 0)
            _ = Control(end, SetFlags, flags | NonBlocking);
    }

    /// <summary>Reads one pipe. Its own thread waits for input; each reader passes on what it read before the next one reads.</summary>
    private sealed class Reader(FileStream file, string stream)
    {
        // More than a pipe holds; a child process that never stops writing must not keep a cell from ending.
        private const int DrainedBlocks = 2 * LargePipe / (1 << 16);

        private readonly Lock _lock = new();
        private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
        private readonly byte[] _bytes = new byte[1 << 16];
        private readonly char[] _text = new char[(1 << 16) + 4];
        private bool _ended;

        public void Forward()
        {
            while (!_ended)
            {
                WaitForInput(Timeout.Infinite);
                PassOn();
            }
        }

        public void Drain()
        {
            for (var i = 0; i < DrainedBlocks && PassOn(); i++)
            {
            }
        }

        private bool PassOn()
        {
            lock (_lock)
            {
                if (_ended || !WaitForInput(0))
                    return false;
                var read = file.Read(_bytes, 0, _bytes.Length);
                _ended = read <= 0;
                var count = _decoder.GetChars(_bytes, 0, Math.Max(0, read), _text, 0);
                CellConsole.Latest?.Stream(stream, new string(_text, 0, count));
                return !_ended;
            }
        }

        private unsafe bool WaitForInput(int milliseconds)
        {
            var poll = new PollDescriptor { Descriptor = (int)file.SafeFileHandle.DangerousGetHandle(), Events = 1 };
            return PollOnce(&poll, 1, milliseconds) > 0;
        }
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

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "fflush")]
    private static partial int FlushAll(IntPtr stream);

    [LibraryImport("libc", EntryPoint = "poll")]
    private static unsafe partial int PollOnce(PollDescriptor* descriptors, nuint count, int milliseconds);
}
