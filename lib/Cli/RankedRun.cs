using System.Security.Cryptography;
using System.Text;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;

namespace Dreambooth.Lab.Cli;

/// <summary>
/// A verb's work as one of several ranks: it meets the others, only rank 0 writes to the console, and an error reaches all.
/// </summary>
internal static class RankedRun
{
    private static readonly TimeSpan OwnSignal = TimeSpan.FromSeconds(1);

    /// <summary>Does some work.</summary>
    /// <param name="place">Which rank this is; alone, nothing else happens than the work.</param>
    /// <param name="settings">The work's settings, equal on all ranks.</param>
    /// <param name="device">The device that the user names.</param>
    /// <param name="session">The verb's.</param>
    /// <param name="work">Given the ranks, or null, and what to write to.</param>
    /// <exception cref="LabException">The ranks do not meet, or one fails.</exception>
    /// <exception cref="OperationCanceledException">This rank was cancelled, and perhaps others.</exception>
    public static int Do(
        RankEnvironment place, string settings, string device, Session session, Func<Rendezvous?, Session, int> work)
    {
        if (place.IsAlone)
            return work(null, session);
        RankDevice.Choose(place, device);

        // Ranks of another build may compute otherwise.
        var fingerprint = Convert.ToHexString(
            SHA256.HashData(Encoding.UTF8.GetBytes($"{typeof(RankedRun).Module.ModuleVersionId} {settings}")));
        try
        {
            using var ranks = Rendezvous.Join(place, RankSecret.Read(), fingerprint, RendezvousOptions.Read(), session.Cancellation);
            return With(ranks, session, work);
        }
        catch (RankFailureException error) when (error.IsCancellation)
        {
            // A signal to all ranks comes to some after the word of another.
            if (session.Cancellation.WaitHandle.WaitOne(OwnSignal))
                throw new OperationCanceledException(error.Message, error, session.Cancellation);
            throw;
        }
    }

    private static int With(Rendezvous ranks, Session session, Func<Rendezvous?, Session, int> work)
    {
        try
        {
            return work(ranks, ranks.IsFirst ? session : session with
            {
                Output = TextWriter.Null,
                Error = TextWriter.Null,
                IsInteractive = false,
            });
        }
        catch (Exception error) when (error is not RankFailureException && ranks.Failure is { } failure)
        {
            throw new RankFailureException(failure.Message, error); // What a lost rank left of the work at hand.
        }
        catch (Exception error) when (error is not RankFailureException)
        {
            ranks.Fail(error is OperationCanceledException ? RankFailureException.Cancelled : FailureReport.Cause(error).Message);
            throw;
        }
    }
}
