using Dreambooth.Lab.Hub;
using Microsoft.AspNetCore.Http;

namespace Dreambooth.Lab.Tests.Hub;

/// <summary>Broken, slow, ended and simultaneous downloads.</summary>
public sealed class ResumeTests : HubTest
{
    private const string Name = "lab/big";

    private static readonly LocalContent Content = LocalContent.Of(12_000_000, 7);

    private string Blob => new HubCache(Options.CacheFolder).BlobOf(RepoId.Parse(Name), Content.Sha256);

    [Fact]
    public async Task DownloadAsync_64MiBCut20Times_ArrivesWholeAndOnce()
    {
        var content = LocalContent.Of(64 << 20, 11);
        Hub.Add(Name, ("big.safetensors", content));
        Hub.Faults.Add(LocalFault.OnStore(times: 20, cutAfter: 700_000));
        var snapshot = await DownloadAsync(Name, Options with { PartBytes = 4 << 20 });
        AssertSame(content, Path.Combine(snapshot.Folder, "big.safetensors"));
        Assert.Equal(0, Math.Max(0, Hub.Faults.Single().Left));
        // What arrived before each cut is not asked for again; some of what was sent may be lost with the connection.
        Assert.Equal(content.Size, snapshot.BytesDownloaded);
        Assert.Equal([], Directory.GetFiles(Path.GetDirectoryName(Blob)!, "*.incomplete"));
    }

    [Fact]
    public async Task DownloadAsync_ServerWithoutRangesThatCuts_ArrivesWhole()
    {
        Hub.Add(Name, ("big.safetensors", Content));
        Hub.Faults.Add(LocalFault.OnStore(times: 3, cutAfter: 5_000_000, ignoreRange: true));
        Hub.Faults.Add(LocalFault.OnStore(ignoreRange: true));
        var snapshot = await DownloadAsync(Name);
        AssertSame(Content, Path.Combine(snapshot.Folder, "big.safetensors"));
    }

    [Fact]
    public async Task DownloadAsync_StalledConnection_IsGivenUpAndGoesOn()
    {
        Hub.Add(Name, ("big.safetensors", Content));
        Hub.Faults.Add(LocalFault.OnStore(times: 2, stallAfter: 300_000));
        var snapshot = await DownloadAsync(Name, Options with { ReadTimeout = TimeSpan.FromMilliseconds(1500) });
        AssertSame(Content, Path.Combine(snapshot.Folder, "big.safetensors"));
    }

    [Fact]
    public async Task DownloadAsync_EndedByTheUser_LeavesAPrefixAndGoesOnFromThere()
    {
        Hub.Add(Name, ("big.safetensors", Content));
        // The second half does not come.
        Hub.Faults.Add(
            new LocalFault(
                request => request.GetTypedHeaders().Range?.Ranges.First().From >= Content.Size / 2,
                int.MaxValue)
            { StallAfter = 100_000 });
        using var stop = new CancellationTokenSource();
        var download = DownloadAsync(Name, cancellation: stop.Token);
        await UntilAsync(() => new FileInfo(Blob + ".incomplete") is { Exists: true, Length: > 0 });
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => download);
        var begun = File.ReadAllBytes(Blob + ".incomplete");
        Assert.InRange(begun.Length, 1, Content.Size - 1);
        var right = new byte[begun.Length];
        Content.Read(0, right);
        Assert.Equal(right, begun);
        Assert.False(File.Exists(Blob));

        Hub.Faults.Clear();
        var snapshot = await DownloadAsync(Name);
        AssertSame(Content, Path.Combine(snapshot.Folder, "big.safetensors"));
        Assert.Equal(Content.Size - begun.Length, snapshot.BytesDownloaded);
    }

    [Theory]
    [InlineData(5_000_000, false)]
    [InlineData(12_000_000, false)]
    [InlineData(12_000_001, false)]
    [InlineData(5_000_000, true)]
    public async Task DownloadAsync_IncompleteFileOfAnotherProgram_IsUsedWhereItIsRight(int length, bool damaged)
    {
        Hub.Add(Name, ("big.safetensors", Content));
        Directory.CreateDirectory(Path.GetDirectoryName(Blob)!);
        var begun = new byte[length];
        Content.Read(0, begun.AsSpan(0, (int)Math.Min(length, Content.Size)));
        begun[1000] ^= (byte)(damaged ? 1 : 0);
        File.WriteAllBytes(Blob + ".incomplete", begun);
        var snapshot = await DownloadAsync(Name);
        AssertSame(Content, Path.Combine(snapshot.Folder, "big.safetensors"));
        var fits = length <= Content.Size;
        Assert.Equal(!fits ? Content.Size : damaged ? 2 * Content.Size - length : Content.Size - length, snapshot.BytesDownloaded);
    }

    [Fact]
    public async Task DownloadAsync_ExpiredLinkToTheStore_AsksTheHubForANewOne()
    {
        Hub.Add(Name, ("big.safetensors", Content));
        int count = 0, expired = -1;
        // From the fourth request on, until the hub has given a new link.
        bool IsExpired()
        {
            if (Interlocked.Increment(ref count) == 4)
                Volatile.Write(ref expired, Hub.Count("/resolve/"));
            return Hub.Count("/resolve/") == Volatile.Read(ref expired);
        }

        Hub.Faults.Add(new LocalFault(request => request.Host.Host == Hub.Store.Host && IsExpired(), int.MaxValue) { Status = 403 });
        var snapshot = await DownloadAsync(Name);
        AssertSame(Content, Path.Combine(snapshot.Folder, "big.safetensors"));
        Assert.InRange(Hub.Count("/resolve/"), 2, 6);
    }

    [Fact]
    public async Task DownloadAsync_TwoAtOnceOnOneCache_DownloadOnce()
    {
        Hub.Add(Name, ("big.safetensors", Content), ("other.safetensors", LocalContent.Of(3_000_000, 8)));
        // Nothing comes before one has met the other's lock.
        Hub.BeforeStored = () => UntilAsync(() => Shown.Contains("Another program is downloading", StringComparison.Ordinal));
        var snapshots = await Task.WhenAll(DownloadAsync(Name), DownloadAsync(Name));
        Assert.Equal(15_000_000, snapshots.Sum(snapshot => snapshot.BytesDownloaded));
        Assert.Equal(15_000_000, Hub.BytesSent);
        AssertSame(Content, Path.Combine(snapshots[1].Folder, "big.safetensors"));
    }

    [Fact]
    public async Task DownloadAsync_LockHeldByAnother_Waits()
    {
        Hub.Add(Name, ("big.safetensors", Content));
        var path = Path.Combine(Options.CacheFolder, ".locks", "models--lab--big", $"{Content.Sha256}.lock");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Task<HubSnapshot> download;
        using (new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
        {
            download = DownloadAsync(Name);
            await UntilAsync(() => Shown.Contains("Another program is downloading", StringComparison.Ordinal));
            Assert.False(download.IsCompleted);
            Assert.Equal(0, Hub.BytesSent);
        }

        AssertSame(Content, Path.Combine((await download).Folder, "big.safetensors"));
    }

    [Theory]
    [InlineData(429, "0")]
    [InlineData(503, null)]
    [InlineData(500, null)]
    [InlineData(408, null)]
    public async Task DownloadAsync_PassingRefusals_AreTriedAgain(int status, string? retryAfter)
    {
        Hub.Add(Name, ("big.safetensors", Content), ("a.json", LocalContent.Of("{}")));
        Hub.Faults.Add(
            new LocalFault(request => request.Path.Value!.Contains("/api/", StringComparison.Ordinal), 2)
            {
                Status = status,
                RetryAfter = retryAfter,
            });
        Hub.Faults.Add(
            new LocalFault(request => request.Path.Value!.Contains("/resolve/", StringComparison.Ordinal), 3)
            {
                Status = status,
                RetryAfter = retryAfter,
            });
        Hub.Faults.Add(LocalFault.OnStore(times: 3, status: status));
        var snapshot = await DownloadAsync(Name);
        AssertSame(Content, Path.Combine(snapshot.Folder, "big.safetensors"));
        Assert.All(Hub.Faults, fault => Assert.True(fault.Left <= 0));
    }

    [Fact]
    public async Task DownloadAsync_RetryAfter_IsWaitedFor()
    {
        Hub.Add(Name, ("a.json", LocalContent.Of("{}")));
        Hub.Faults.Add(new LocalFault(_ => true, 1) { Status = 429, RetryAfter = "1" });
        var start = System.Diagnostics.Stopwatch.StartNew();
        await DownloadAsync(Name);
        Assert.InRange(start.Elapsed.TotalSeconds, 0.95, 60);
    }
}
