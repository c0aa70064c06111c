using System.Diagnostics;
using System.Text;
using Dreambooth.Lab.Hub;

namespace Dreambooth.Lab.Tests.Hub;

/// <summary>
/// What tests of the hub share: a local hub, a cache of their own, and a search at the end of each test. The secrets that were used must
/// be in no file that the test wrote and in nothing that it printed.
/// </summary>
public abstract class HubTest : IDisposable
{
    /// <summary>A token that may write; it stands nowhere but in memory.</summary>
    internal static readonly string Secret = "hf_" + "SecretOfTheTests".PadRight(34, 'w');

    /// <summary>A token that may only read.</summary>
    internal static readonly string ReaderSecret = "hf_" + "SecretOfTheTests".PadRight(34, 'r');

    private readonly StringBuilder _shown = new();
    private HubOptions? _options;

    internal LocalHub Hub { get; } = new();

    protected string Folder { get; } = Directory.CreateTempSubdirectory("lab-hub-").FullName;

    /// <summary>Where a login keeps the token: the one file that may hold it.</summary>
    protected string TokenPath => Path.Combine(Folder, "home", "token");

    internal HubOptions Options => _options ??= new HubOptions
    {
        Endpoint = Hub.Endpoint,
        CacheFolder = Path.Combine(Folder, "hub"),
        TokenPath = TokenPath,
        RetryDelay = TimeSpan.FromMilliseconds(5),
        ReadTimeout = TimeSpan.FromSeconds(60),
        PartBytes = 1 << 20,
    };

    internal HubOptions LoggedIn => Options with { Token = HubToken.Parse(Secret) };

    /// <summary>What users were told.</summary>
    protected string Shown
    {
        get
        {
            lock (_shown)
                return _shown.ToString();
        }
    }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        Restore();
        Hub.Dispose();
        try
        {
            SearchForSecrets();
        }
        finally
        {
            Directory.Delete(Folder, recursive: true);
        }
    }

    /// <summary>Puts back what a test changed outside of its folder.</summary>
    protected virtual void Restore()
    {
    }

    /// <summary>Keeps a text that users would see.</summary>
    protected void Show(string text)
    {
        lock (_shown)
            _shown.AppendLine(text);
    }

    /// <summary>Waits until something holds; fails when it does not within a minute.</summary>
    protected static async Task UntilAsync(Func<bool> holds)
    {
        var start = Stopwatch.GetTimestamp();
        while (!holds())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromMinutes(1), "what the test waits for does not come");
            await Task.Delay(5);
        }
    }

    internal HubClient Client(HubOptions? options = null) => new(options ?? Options, Show);

    internal async Task<HubSnapshot> DownloadAsync(
        string repo, HubOptions? options = null, HubDownloadRequest? request = null, CancellationToken cancellation = default)
    {
        using var client = Client(options);
        return await client.DownloadAsync(
            (request ?? new HubDownloadRequest(RepoId.Parse(repo))) with { Repo = RepoId.Parse(repo) }, new Shower(this), cancellation);
    }

    /// <summary>Runs something that must fail, and gives the error.</summary>
    internal async Task<HubException> FailAsync(HubErrorKind kind, Func<Task> action)
    {
        var error = await Assert.ThrowsAsync<HubException>(action);
        Show(error.ToString());
        Assert.Equal(kind, error.Kind);
        Assert.True(error.Message.Length < 900, error.Message);
        return error;
    }

    /// <summary>A pipeline of the published layout, tiny, with what a real repository has beside it.</summary>
    internal static (string Path, LocalContent Content)[] PipelineFiles(int seed = 1) =>
    [
        ("model_index.json",
            LocalContent.Of(
                """{"_class_name": "StableDiffusion3Pipeline", "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"], "text_encoder": ["transformers", "CLIPTextModelWithProjection"], "text_encoder_3": ["transformers", "T5EncoderModel"], "tokenizer": ["transformers", "CLIPTokenizer"], "transformer": ["diffusers", "SD3Transformer2DModel"], "image_encoder": [null, null]}""")),
        ("README.md", LocalContent.Of("# A model")),
        ("sd3.5_medium.safetensors", LocalContent.Of(3_000_000, seed)),
        ("scheduler/scheduler_config.json", LocalContent.Of("{}")),
        ("text_encoder/config.json", LocalContent.Of("{ }")),
        ("text_encoder/model.safetensors", LocalContent.Of(300_000, seed + 1)),
        ("text_encoder/model.fp16.safetensors", LocalContent.Of(150_000, seed + 2)),
        ("text_encoder/pytorch_model.bin", LocalContent.Of(300_000, seed + 3)),
        ("text_encoder_3/config.json", LocalContent.Of("{  }")),
        ("text_encoder_3/model-00001-of-00002.safetensors", LocalContent.Of(2_500_000, seed + 4)),
        ("text_encoder_3/model-00002-of-00002.safetensors", LocalContent.Of(700_000, seed + 5)),
        ("text_encoder_3/model.safetensors.index.json", LocalContent.Of("{   }")),
        ("text_encoder_3/model.fp16-00001-of-00001.safetensors", LocalContent.Of(700_000, seed + 6)),
        ("text_encoder_3/model.safetensors.index.fp16.json", LocalContent.Of("{    }")),
        ("tokenizer/vocab.json", LocalContent.Of("[]")),
        ("tokenizer/merges.txt", LocalContent.Of("a b")),
        ("transformer/config.json", LocalContent.Of("{     }")),
        ("transformer/diffusion_pytorch_model.safetensors", LocalContent.Of(5_000_000, seed + 7)),
        ("text_encoders/t5xxl_fp16.safetensors", LocalContent.Of(900_000, seed + 8)),
    ];

    /// <summary>Whether a file here is what the local hub has.</summary>
    internal static void AssertSame(LocalContent expected, string path)
    {
        var bytes = File.ReadAllBytes(path);
        Assert.Equal(expected.Size, bytes.Length);
        var right = new byte[bytes.Length];
        expected.Read(0, right);
        Assert.True(bytes.AsSpan().SequenceEqual(right), $"{path} has other bytes");
    }

    private void SearchForSecrets()
    {
        foreach (var secret in new[] { Secret, ReaderSecret })
        {
            Assert.False(Shown.Contains(secret, StringComparison.Ordinal), "A token was shown to the user.");
            var bytes = Encoding.ASCII.GetBytes(secret);
            foreach (var file in Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories)
                .Where(file => file != TokenPath && new FileInfo(file) is { LinkTarget: null, Length: < 100 << 20 }))
                Assert.False(File.ReadAllBytes(file).AsSpan().IndexOf(bytes) >= 0, $"{file} holds a token.");
            Assert.DoesNotContain(Hub.Requests, request => request.Host == Hub.Store.Host && request.Authorization.Length > 0);
        }
    }

    private sealed class Shower(HubTest test) : IProgress<HubProgress>
    {
        public void Report(HubProgress value) => test.Show(value.ToString());
    }
}
