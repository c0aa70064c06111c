using System.Diagnostics;
using System.Globalization;
using Dreambooth.Lab.Hub;

namespace Dreambooth.Lab.Tests.Hub;

/// <summary>
/// Large downloads, run by name: <c>dotnet test tests --filter "Category=Proof&amp;FullyQualifiedName~HubProof"</c>. Server and client
/// share the machine; the server is another set of threads of the same process.
/// </summary>
[Trait("Category", "Proof")]
public sealed class HubProofTests(ITestOutputHelper output) : HubTest
{
    private const string Name = "lab/big";
    private const double LimitBytesPerSecond = 300e6;
    private const int Rounds = 5;

    [Fact]
    public async Task DownloadAsync_2GiBCut20Times_ArrivesWholeAndVerified()
    {
        var content = LocalContent.Of(2L << 30, 21);
        Hub.Add(Name, ("big.safetensors", content));
        Hub.Faults.Add(LocalFault.OnStore(times: 20, cutAfter: 3_000_000));
        var start = Stopwatch.StartNew();
        var snapshot = await DownloadAsync(
            Name, Options with { PartBytes = new HubOptions { CacheFolder = "x", TokenPath = "x" }.PartBytes });
        var seconds = start.Elapsed.TotalSeconds;
        Assert.True(Hub.Faults.Single().Left <= 0);
        Assert.Equal(content.Size, snapshot.BytesDownloaded);
        Assert.Equal(content.Sha256, await HashAsync(Path.Combine(snapshot.Folder, "big.safetensors")));
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"2 GiB, cut 20 times: {seconds:0.0} s, {content.Size / seconds / 1e6:0} MB/s, hashing included"));
    }

    [Fact]
    public async Task DownloadAsync_ServerOf300MBPerSecond_ReachesFourFifthsOfCurl()
    {
        var content = LocalContent.Of(1L << 30, 22);
        Hub.Add(Name, ("big.safetensors", content));
        _ = content.Sha256;
        await OursAsync(content.Size);
        Hub.BytesPerSecond = LimitBytesPerSecond;
        var (curls, ours) = (new List<double>(), new List<double>());
        for (var i = 0; i < Rounds; i++)
        {
            curls.Add(await CurlAsync(content.Size));
            ours.Add(await OursAsync(content.Size));
        }

        var ratio = Median([.. ours.Zip(curls, (our, curl) => our / curl)]);
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"MB/s from a server of {LimitBytesPerSecond / 1e6:0} MB/s, 1 GiB: curl {string.Join(", ", curls.Select(Text))}; the lab, "
                + $"hashing included, {string.Join(", ", ours.Select(Text))}; median ratio of neighbours {ratio:0.00}"));
        Assert.True(ratio >= 0.8, $"{ratio:0.00} of what curl gets");
    }

    private async Task<double> OursAsync(long bytes)
    {
        var start = Stopwatch.StartNew();
        using (var client = new HubClient(Options with { PartBytes = 8 << 20 }))
            await client.DownloadAsync(new HubDownloadRequest(RepoId.Parse(Name)));
        var rate = bytes / start.Elapsed.TotalSeconds / 1e6;
        Directory.Delete(Options.CacheFolder, recursive: true);
        return rate;
    }

    private async Task<double> CurlAsync(long bytes)
    {
        var start = Stopwatch.StartNew();
        var info = new ProcessStartInfo("curl")
        {
            RedirectStandardError = true,
            ArgumentList = { "-sSL", "-o", Path.Combine(Folder, "curl.bin"), $"{Hub.Endpoint}{Name}/resolve/main/big.safetensors" },
        };
        Process? process = null;
        try
        {
            process = Process.Start(info);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.SkipWhen(true, "curl is not installed.");
        }

        using (process)
        {
            await process!.WaitForExitAsync();
            Assert.Equal((0, bytes), (process.ExitCode, new FileInfo(Path.Combine(Folder, "curl.bin")).Length));
        }

        var rate = bytes / start.Elapsed.TotalSeconds / 1e6;
        File.Delete(Path.Combine(Folder, "curl.bin"));
        return rate;
    }

    private static async Task<string> HashAsync(string path)
    {
        await using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(await System.Security.Cryptography.SHA256.HashDataAsync(stream));
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static string Text(double value) => value.ToString("0", CultureInfo.InvariantCulture);
}
