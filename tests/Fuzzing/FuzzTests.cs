using System.Diagnostics;
using System.Text;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Hub;

namespace Dreambooth.Lab.Tests.Fuzzing;

/// <summary>
/// Wrong inputs for every reader: none may end in a trace, a crash, a hang of more than 30 s or more than 1 GB. Some hundred in every run;
/// all with <c>dotnet test tests --filter Category=Fuzz</c>.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output) : HubTest
{
    private const int Few = 12;
    private const int FewPipelines = 6;

    private static readonly string[] Pipelines = ["transformer", "vae", "clip", "t5", "scheduler", "model index"];
    private readonly FuzzReaders _readers = new();

    public static TheoryData<string> Readers => [.. FuzzReaders.Names];

    public static TheoryData<string> Cases =>
        [.. Directory.GetFiles(Path.Combine(GoldenSet.RepositoryRoot, "tests", "fixtures", "fuzz"), "*.bin").Order()
            .Select(file => Path.GetFileNameWithoutExtension(file))];

    public static TheoryData<string> Answers => ["revision", "tree", "whoami"];

    [Theory]
    [MemberData(nameof(Readers))]
    public void Read_SomeMutations_EndWell(string reader) =>
        _readers.Get(reader).Run(Pipelines.Contains(reader) ? FewPipelines : Few, seed: 1);

    [Theory]
    [MemberData(nameof(Answers))]
    public void Ask_SomeMutations_EndWell(string answer) => AnswerReader(answer).Run(Few, seed: 1);

    [Theory]
    [Trait("Category", "Fuzz")]
    [MemberData(nameof(Readers))]
    public void Read_ManyMutations_EndWell(string reader) => Many(_readers.Get(reader), Pipelines.Contains(reader) ? 150 : 450);

    [Theory]
    [Trait("Category", "Fuzz")]
    [MemberData(nameof(Answers))]
    public void Ask_ManyMutations_EndWell(string answer) => Many(AnswerReader(answer), 300);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Read_FirstInputOfEachKindThatFailed_IsRefusedByName(string name)
    {
        var bytes = File.ReadAllBytes(Path.Combine(GoldenSet.RepositoryRoot, "tests", "fixtures", "fuzz", name + ".bin"));
        var first = Encoding.UTF8.GetString(bytes).Split('\n')[0].TrimStart('/', ' ').Split('/');
        var target = name.Split('-')[0] switch
        {
            "captions" => _readers.Get("captions"),
            "config" when first[0].StartsWith("tokenizer", StringComparison.Ordinal) =>
                _readers.Tokenizer("x", "tokenizer", first[1].Trim()),
            "config" => _readers.Component("x", first[0], first[1].Trim()),
            "conn" => _readers.Get("connection file"),
            "ipynb" => _readers.Get("notebook"),
            "loraload" => _readers.Get("adapter config"),
            "msg" => _readers.Get("message"),
            "recipe" => _readers.Get("recipe"),
            "tok" => _readers.Get("vocabulary"),
            var kind => throw new InvalidOperationException($"No reader is known for {kind}."),
        };
        var error = target.Try(bytes, name);
        output.WriteLine(error?.Message ?? "read");
        // A malformed message is counted and dropped; all else is an error that the user reads.
        Assert.True(error is not null || name.StartsWith("msg-", StringComparison.Ordinal), $"{name} was read");
    }

    protected override void Restore() => _readers.Dispose();

    private void Many(FuzzTarget target, int count)
    {
        target.Run(count, seed: 2);
        using var process = Process.GetCurrentProcess();
        Assert.True(process.PeakWorkingSet64 < 1L << 30, $"the process has had {process.PeakWorkingSet64 >> 20} MiB");
        output.WriteLine($"{target.Name}: {count} mutations; the process has had at most {process.PeakWorkingSet64 >> 20} MiB");
    }

    private FuzzTarget AnswerReader(string answer)
    {
        Hub.Add("lab/model", PipelineFiles());
        var current = Array.Empty<byte>();
        Hub.Faults.Add(
            new LocalFault(
                request => request.Path.Value!.Contains(answer, StringComparison.Ordinal), int.MaxValue)
            { Body = () => current });
        var commit = Hub.Repos["lab/model"].Head;
        var right = answer switch
        {
            "revision" =>
                $$"""{"id": "lab/model", "sha": "{{commit}}", "private": false, "gated": "manual", "siblings": [{"rfilename": "a"}]}""",
            "tree" =>
                $$"""[{"type": "directory", "path": "d", "oid": "{{new string('d', 40)}}", "size": 0}, {"type": "file", "path": "a.safetensors", "oid": "{{new string('e', 40)}}", "size": 9, "lfs": {"oid": "{{new string('f', 64)}}", "size": 9, "pointerSize": 135 } }]""",
            _ => """{"type": "user", "name": "ada", "orgs": [{"name": "lab"}], "auth": {"accessToken": {"displayName": "lab", "role": "write"}}}""",
        };
        var options = LoggedIn with { MaxRetries = 1, RetryDelay = TimeSpan.FromMilliseconds(1) };
        return new("hub: " + answer, [Encoding.UTF8.GetBytes(right)], bytes =>
        {
            current = bytes;
            using var http = new HubHttp(options, HubToken.Find(options), _ => { });
            var api = new ModelApi(options, http);
            if (answer == "whoami")
                api.WhoAmIAsync(CancellationToken.None).GetAwaiter().GetResult();
            else
                api.GetAsync(RepoId.Parse("lab/model"), "main", CancellationToken.None).GetAwaiter().GetResult();
        });
    }
}
