using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Pipelines;

public sealed class PictureRecordTests
{
    /// <summary>
    /// What repeating a picture rests on. Alone a picture differs by rounding (up to 1e-5 in these latents), since matrix products of
    /// another height round otherwise: two ways to split a list of prompts give the same bits only if each picture has a batch of one size.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public void Denoise_PictureOfABatch_IsBitEqualInABatchOfThatSizeWhateverElseIsInItAndCloseAlone(double guidance)
    {
        using var pipeline = TinyPipeline.Load();
        using var scope = NewDisposeScope();
        string[] prompts = ["a cat", "a dog on a beach", "stars"];
        var together = Denoise(prompts, [0, 1, 2]);
        for (var i = 0; i < prompts.Length; i++)
        {
            var repeated = Denoise([.. Enumerable.Repeat(prompts[i], 3)], [.. Enumerable.Repeat((ulong)i, 3)]);
            Golden.GoldenAssert.Exact(together[i], repeated[i]);
            var alone = Denoise([prompts[i]], [(ulong)i]);
            Assert.InRange((together[i] - alone[0]).abs().max().item<float>(), 0, 1e-3);
        }

        Tensor Denoise(string[] texts, ulong[] seeds)
        {
            using var noise = SeededNoise.NormalEach([pipeline.Transformer.Config.InChannels, 4, 4], seeds);
            return pipeline.Denoise(new GenerationRequest
            {
                Prompts = texts,
                NumInferenceSteps = 3,
                GuidanceScale = guidance,
                Height = 32,
                Width = 32,
                Latents = noise,
            });
        }
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void Save_AnyText_IsReadByAnIndependentReaderAndComesBack(string prompt, string? negative)
    {
        var folder = Directory.CreateTempSubdirectory("lab-record-").FullName;
        try
        {
            var record = Record with { Prompt = prompt, NegativePrompt = negative };
            var path = Path.Combine(folder, "x.png");
            record.Save(path, new RgbImage(8, 8), inFile: true);
            var texts = PngTexts.Read(File.ReadAllBytes(path));
            Assert.Equal(["dreambooth-lab", "parameters"], texts.Keys.Order(StringComparer.Ordinal));
            Assert.Equal(PictureParameters.Of(record, 8, 8), texts["parameters"]);
            Assert.StartsWith(prompt, texts["parameters"], StringComparison.Ordinal);
            using var json = System.Text.Json.JsonDocument.Parse(texts["dreambooth-lab"]);
            Assert.Equal(prompt, json.RootElement.GetProperty("prompt").GetString());
            Assert.Equal(ulong.MaxValue, json.RootElement.GetProperty("noise_seed").GetUInt64());
            var back = PictureRecord.Read(ImageNote.Read(File.ReadAllBytes(path)));
            Assert.Equal(record.ToNote(), back!.ToNote());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("\"batch_size\":4", "\"batch_size\":0")]
    [InlineData("\"batch_row\":2", "\"batch_row\":4")]
    [InlineData("\"noise_index\":1", "\"noise_index\":-1")]
    [InlineData("\"lora_scale\":[0.5]", "\"lora_scale\":[]")]
    [InlineData("\"prompt\":\"a cat\",", "")]
    [InlineData("{", "")]
    public void Read_ValuesThatNoPictureHas_IsNone(string there, string instead)
    {
        var note = Record.ToNote();
        Assert.Contains(there, note, StringComparison.Ordinal);
        Assert.NotNull(PictureRecord.Read(note));
        Assert.Null(PictureRecord.Read(note.Replace(there, instead, StringComparison.Ordinal)));
    }

    [Fact]
    public void Of_ParametersOfALora_IsTheTextThatCivitaiReads() => Assert.Equal(
        "a cat <lora:gmc.cat:0.5>\nNegative prompt: blurred\nSteps: 28, Sampler: Euler, CFG scale: 4.5, Seed: 7, Size: 640x512, "
        + "Model: sd3-mini, Batch size: 4, Batch pos: 2, Lora hashes: \"gmc.cat: 0123456789\"",
        PictureParameters.Of(Record, 640, 512));

    [Fact]
    public void Of_NamesThatHoldSeparators_AreStillReadApart() => Assert.Equal(
        "a cat <lora:my cat 猫 v2:0.5>\nNegative prompt: blurred\nSteps: 28, Sampler: Euler, CFG scale: 4.5, Seed: 7, Size: 640x512, "
        + "Model: \"mine: a, b\", Batch size: 4, Batch pos: 2, Lora hashes: \"my cat 猫 v2: 0123456789\"",
        PictureParameters.Of(Record with { Model = "mine: a, b", Lora = ["my cat, 猫: \"v2\".safetensors"] }, 640, 512));

    [Fact]
    public void Of_ParametersWithoutLora_HasNoHashes() => Assert.Equal(
        "a cat\nSteps: 28, Sampler: Euler, CFG scale: 7, Seed: 0, Size: 64x64, Model: sd3-mini",
        PictureParameters.Of(
            new PictureRecord { Prompt = "a cat", Seed = 0, Model = "sd3-mini", Steps = 28, Guidance = 7 }, 64, 64));

    [Fact]
    public void Of_Model_HasOneFingerprintWhereverItLies()
    {
        var folder = Directory.CreateTempSubdirectory("lab-origin-").FullName;
        try
        {
            var copy = Path.Combine(folder, "tiny-sd35m");
            foreach (var file in Directory.EnumerateFiles(TinyPipeline.Folder, "*", SearchOption.AllDirectories))
            {
                var target = Path.Combine(copy, Path.GetRelativePath(TinyPipeline.Folder, file));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(file, target);
            }

            var options = new PipelineOptions();
            var (here, there) = (ModelOrigin.Of(TinyPipeline.Folder, options), ModelOrigin.Of(copy, options));
            Assert.Equal(here, there);
            Assert.Equal(64, here.Fingerprint!.Length);
            Assert.NotEqual(here.Fingerprint, ModelOrigin.Of(copy, options with { WithT5 = false }).Fingerprint);
            var weights = Directory.EnumerateFiles(Path.Combine(copy, "vae"), "*.safetensors").First();
            var content = File.ReadAllBytes(weights);
            for (var i = content.Length / 2; i < content.Length; i++)
                content[i] ^= 1;
            File.WriteAllBytes(weights, content);
            Assert.NotEqual(here.Fingerprint, ModelOrigin.Of(copy, options).Fingerprint);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public static TheoryData<string, string?> Texts => new()
    {
        { "a cat", null },
        { "a \"größer\" cat,\nwith 'wings'\r\n\ttab \\ and <angles> & {braces}", "Steps: 3, blurred" },
        { "猫 на пляже 🐈‍⬛ قطة हिन्दी", "ネガティブ" },
        { string.Concat(Enumerable.Repeat("ninechars", 1_200)), string.Concat(Enumerable.Repeat("猫", 3_400)) },
    };

    private static PictureRecord Record { get; } = new()
    {
        Prompt = "a cat",
        NegativePrompt = "blurred",
        Seed = 7,
        Index = 1,
        NoiseSeed = ulong.MaxValue,
        NoiseIndex = 1,
        BatchSize = 4,
        BatchRow = 2,
        Model = "sd3-mini",
        Steps = 28,
        Guidance = 4.5,
        Lora = ["gmc.cat"],
        LoraScale = [0.5],
        LoraSha256 = ["0123456789" + new string('a', 54)],
    };
}
