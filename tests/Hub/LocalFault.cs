using Microsoft.AspNetCore.Http;

namespace Dreambooth.Lab.Tests.Hub;

/// <summary>Something that goes wrong at the local hub, for some requests and some times.</summary>
internal sealed class LocalFault(Func<HttpRequest, bool> meets, int times)
{
    private int _left = times;

    /// <summary>Answer with this status instead.</summary>
    public int? Status { get; init; }

    public string? ErrorCode { get; init; }

    public string? ErrorMessage { get; init; }

    public string? RetryAfter { get; init; }

    /// <summary>Break the connection after this many bytes of the body.</summary>
    public long? CutAfter { get; init; }

    /// <summary>Send nothing more after this many bytes of the body, and keep the connection.</summary>
    public long? StallAfter { get; init; }

    /// <summary>Answer ranges with the whole file.</summary>
    public bool IgnoreRange { get; init; }

    /// <summary>Send other bytes of the same length.</summary>
    public bool Damage { get; init; }

    /// <summary>Send this instead.</summary>
    public string? Instead { get; init; }

    /// <summary>Answer with these bytes instead, whatever was asked.</summary>
    public byte[]? Answer { get; init; }

    /// <summary>Gives <see cref="Answer"/> anew for each request.</summary>
    public Func<byte[]>? Body { get; init; }

    /// <summary>Send <see cref="Answer"/> again and again, until the client has enough.</summary>
    public bool Endless { get; init; }

    /// <summary>The address of the next page that stands beside <see cref="Answer"/>.</summary>
    public string? NextPage { get; init; }

    /// <summary>Say that the large file has this size, and send it as it is.</summary>
    public long? LinkedSize { get; init; }

    /// <summary>Redirect there.</summary>
    public string? Location { get; init; }

    public int Left => Volatile.Read(ref _left);

    public bool Takes(HttpRequest request) => meets(request) && Interlocked.Decrement(ref _left) >= 0;

    public static LocalFault OnStore(
        int times = int.MaxValue, long? cutAfter = null, long? stallAfter = null, bool ignoreRange = false, bool damage = false,
        int? status = null) =>
        new(request => request.Path.StartsWithSegments("/store", StringComparison.Ordinal), times)
        {
            CutAfter = cutAfter,
            StallAfter = stallAfter,
            IgnoreRange = ignoreRange,
            Damage = damage,
            Status = status,
        };
}
