using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Kernel;

namespace Dreambooth.Lab.Tests.Fuzzing;

/// <summary>A reader and right inputs for it.</summary>
/// <param name="Name">What is read.</param>
/// <param name="Seeds">Right inputs.</param>
/// <param name="Read">Reads one as the program does.</param>
/// <param name="IsJson">Whether the inputs are JSON.</param>
/// <param name="Mutate">Makes a wrong input of a right one; null for what fits JSON or any bytes.</param>
internal sealed record FuzzTarget(
    string Name, IReadOnlyList<byte[]> Seeds, Action<byte[]> Read, bool IsJson = true, Func<byte[], Random, byte[]>? Mutate = null)
{
    private const long MostBytes = 1L << 30;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    /// <summary>Reads mutations of the seeds; the reader must take each, or refuse it with an error for users.</summary>
    /// <param name="count">How many.</param>
    /// <param name="seed">Which.</param>
    public void Run(int count, int seed)
    {
        foreach (var right in Seeds)
            Read(right);
        for (var i = 0; i < count; i++)
        {
            var number = unchecked((seed * 1_000_003) + i);
            var (right, random) = (Seeds[i % Seeds.Count], new Random(number));
            Try(Mutate?.Invoke(right, random) ?? Mutation.Of(right, random, IsJson), $"{Name}, mutation {number}");
        }
    }

    /// <summary>Reads one input; fails on any error that is none for users, on a hang and on too much memory.</summary>
    /// <param name="input">The input.</param>
    /// <param name="what">Its name.</param>
    /// <returns>The error for users, or null when it was read.</returns>
    public Exception? Try(byte[] input, string what)
    {
        Exception? error = null;
        var allocated = 0L;
        var thread = new Thread(() =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                Read(input);
            }
            catch (Exception thrown)
            {
                error = thrown;
            }

            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        });
        thread.Start();
        Assert.True(thread.Join(Longest), $"{what} is still being read after {Longest.TotalSeconds} s:\n{Shown(input)}");
        // The command line prints these as one message; anything else would be a trace.
        if (error is not (null or LabException or KernelException or IOException or UnauthorizedAccessException))
            Assert.Fail($"{what} escapes as {error}\n{Shown(input)}");
        Assert.True(
            error is null || (error.Message.Length is > 0 and < 4000),
            $"{what} has a message of {error?.Message.Length} characters: {error?.Message[..Math.Min(error.Message.Length, 300)]}");
        Assert.True(allocated < MostBytes, $"{what} took {allocated} bytes\n{Shown(input)}");
        return error;
    }

    private static string Shown(byte[] input) =>
        ShownText.Line(System.Text.Encoding.UTF8.GetString(input), 1500) + "\n"
            + Convert.ToBase64String(input.AsSpan(0, Math.Min(input.Length, 3000)));
}
