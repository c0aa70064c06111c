using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Peft;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Cli;

public sealed class LoraVerbTests : IDisposable
{
    private readonly WrittenLora _lora = new();
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _lora.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Inspect_AFile_TellsWhatItHolds()
    {
        var file = _lora.WriteWith("""{"transformer.r": 2, "transformer.lora_alpha": 8}""", _lora.Pair(WrittenLora.Layer));
        var (code, output, error) = Run("lora", "inspect", file, "--deep");
        Assert.Equal((0, string.Empty), (code, error));
        Assert.Contains("2 tensors, 0 of them not used", output, StringComparison.Ordinal);
        Assert.Contains("layout: Diffusers (1 layer)", output, StringComparison.Ordinal);
        Assert.Contains("rank, alpha, factor: 2, 8, 4 (1 layer)", output, StringComparison.Ordinal);
        // Every element of B A is 2, times the factor 4.
        Assert.Contains($"strength transformer block 0: {8 * _lora.Width}", output, StringComparison.Ordinal);
        Assert.Contains("all values are finite", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_ValuesThatAreNotFinite_AreNamedWhereAllAreRead()
    {
        var pair = _lora.Pair(WrittenLora.Layer);
        pair[1].Value[0, 0] = float.NaN;
        var file = _lora.Write(pair);
        Assert.Equal(0, Run("lora", "inspect", file).Code);
        var (code, output, _) = Run("lora", "inspect", file, "--deep");
        Assert.Equal(1, code);
        Assert.Contains($"not finite: transformer.{WrittenLora.Layer}.lora_B.weight", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_ALayerOfThePublishedSizes_SaysWhichModelsItFits()
    {
        (string, Tensor)[] Layers(string path, long width) =>
            [($"transformer.{path}.lora_A.weight", zeros(1, width)), ($"transformer.{path}.lora_B.weight", zeros(width, 1))];
        var (_, output, _) = Run("lora", "inspect", _lora.Write(
            [.. Layers("transformer_blocks.23.attn.to_q", 1536), .. Layers("transformer_blocks.3.attn2.to_q", 1536)]));
        Assert.Contains(
            "does not fit Stable Diffusion 3-medium: 1 of 2 layers do, not transformer_blocks.3.attn2.to_q, which it lacks", output,
            StringComparison.Ordinal);
        Assert.Contains("\nfits Stable Diffusion 3.5-medium", output, StringComparison.Ordinal);
        Assert.Matches(@"does not fit Stable Diffusion 3\.5-large: 0 of 2 .*1536 → 1536, there 2432 → 2432", output);
    }

    [Theory]
    [InlineData("strength.png")]
    [InlineData("strength.html")]
    public void Inspect_APlot_IsWrittenAndTheConsoleHasBars(string name)
    {
        var file = _lora.Write([.. _lora.Pair(WrittenLora.Layer), .. _lora.Pair(WrittenLora.OtherLayer, rank: 1)]);
        var target = Path.Combine(_folder.Path, name);
        var (code, output, _) = Run("lora", "inspect", file, "--deep", "--plot", target);
        Assert.Equal(0, code);
        Assert.Matches("block 0: [0-9.]+ +█{32}\n", output.ReplaceLineEndings("\n"));
        Assert.Matches("block 1: [0-9.]+ +█{16}\n", output.ReplaceLineEndings("\n"));
        Assert.True(new FileInfo(target).Length > 1000);
    }

    [Theory]
    [InlineData("a.jpg", "--deep", "ends in .png or .html")]
    [InlineData("a.png", null, "give --deep too")]
    public void Inspect_APlotThatCannotBe_IsRefused(string name, string? deep, string message)
    {
        var file = _lora.Write(_lora.Pair(WrittenLora.Layer));
        var (code, _, error) = Run(["lora", "inspect", file, "--plot", name, .. deep is null ? [] : new[] { deep }]);
        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_NoLora_SaysWhatItIs()
    {
        var (code, _, error) = Run("lora", "inspect", _lora.Write(("exp_avg", ones(2))));
        Assert.Equal(1, code);
        Assert.Contains("an optimizer's state", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Convert_ToKohya_LoadsAsThatLayout()
    {
        var file = _lora.Write(_lora.Pair(WrittenLora.Layer));
        var target = Path.Combine(_folder.Path, "kohya.safetensors");
        var (code, output, _) = Run("lora", "convert", file, "--to", "kohya", "-o", target);
        Assert.Equal(0, code);
        Assert.Contains($"{target}: 1 layer in the layout of kohya", output, StringComparison.Ordinal);
        Assert.Equal(LoraFileLayout.Kohya, _lora.Load(target).Layout);
        (code, _, var error) = Run("lora", "convert", file, "--to", "comfyui", "-o", target);
        Assert.Equal(2, code);
        Assert.Contains($"{target} is there already: name another, or give --force", error, StringComparison.Ordinal);
        Assert.Equal(LoraFileLayout.Kohya, _lora.Load(target).Layout);
        Assert.Equal(0, Run("lora", "convert", file, "--to", "diffusers", "-o", target, "--force").Code);
        Assert.Equal(LoraFileLayout.Diffusers, _lora.Load(target).Layout);
        (code, _, error) = Run("lora", "convert", file, "--to", "kohya", "-o", _folder.Path);
        Assert.Equal(2, code);
        Assert.Contains("is a folder, and the layout of kohya is one file; name one, such as", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("webui", "--to is webui; valid is diffusers, peft, kohya, comfyui")]
    [InlineData("kohya", "the file that is read; give another")]
    public void Convert_WhatCannotBe_IsRefused(string layout, string message)
    {
        var file = _lora.Write(_lora.Pair(WrittenLora.Layer));
        var (code, _, error) = Run("lora", "convert", file, "--to", layout, "-o", file);
        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Convert_PeftIntoTheFolderThatIsRead_IsRefused()
    {
        var folder = _lora.WritePeft("""{"r": 2, "lora_alpha": 8}""", _lora.Pair(WrittenLora.Layer));
        var file = Path.Combine(folder, "adapter_model.safetensors");
        var before = File.ReadAllBytes(file);
        var (code, _, error) = Run("lora", "convert", folder, "--to", "peft", "-o", folder);
        Assert.Equal(2, code);
        Assert.Contains($"would replace {file}, the file that is read", error, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(file));
    }

    [Fact]
    public void Convert_ToPeft_CountsTheLayersThatAreWrittenAndNeedsAFolder()
    {
        var (source, target) = (Path.Combine(_folder.Path, "both.safetensors"), Path.Combine(_folder.Path, "peft"));
        var layer = DrawnLora.Layer(LoraVariant.Lora);
        var text = DrawnLora.Layer(LoraVariant.Lora, path: "text_model.encoder.layers.0.self_attn.q_proj") with
        {
            Component = "text_encoder",
        };
        LoraExport.Save(source, LoraContents.Of([layer, text]), "diffusers");
        var (code, output, error) = Run("lora", "convert", source, "--to", "peft", "-o", target);
        Assert.Equal(0, code);
        Assert.Contains("1 layer of text encoders left out", error, StringComparison.Ordinal);
        Assert.Contains($"{target}: 1 layer in the layout of peft", output, StringComparison.Ordinal);
        File.WriteAllText(target + ".txt", "notes");
        (code, _, error) = Run("lora", "convert", source, "--to", "peft", "-o", target + ".txt");
        Assert.Equal(1, code);
        Assert.Contains("peft.txt is a file, and PEFT's layout is a folder", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_ThreeLayersInOne_TellsTheSameRanksWithAndWithoutAllValues()
    {
        (string Name, Tensor Value)[] three = [.. new[] { "to_q", "to_k", "to_v" }
            .SelectMany((name, i) => _lora.Pair($"transformer_blocks.0.attn.{name}").Select(part => (part.Name, part.Value * (i + 1))))];
        var target = Path.Combine(_folder.Path, "kohya.safetensors");
        var source = _lora.WriteWith("""{"transformer.r": 2, "transformer.lora_alpha": -8}""", three);
        Run("lora", "convert", source, "--to", "kohya", "-o", target);
        foreach (var options in new string[][] { [], ["--deep"] })
        {
            var (_, output, error) = Run(["lora", "inspect", target, .. options]);
            Assert.Contains("rank, alpha, factor: 2, -8, -4 (3 layers)", output, StringComparison.Ordinal);
            Assert.Contains("3 of 3 layers have an alpha below 0", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Verify_AFile_ActsTheSameInEveryLayoutAndKeepsTheFiles()
    {
        var file = _lora.WriteWith("""{"transformer.r": 2, "transformer.lora_alpha": 8}""", _lora.Pair(WrittenLora.Layer));
        var (code, output, error) = Run(
            "lora", "verify", file, "--model", TinyPipeline.Folder, "--keep", _folder.Path, "--num_steps", "1", "--device", "cpu",
            "--tokenizers", TinyTokenizers.Root);
        Assert.Equal((0, string.Empty), (code, error));
        foreach (var layout in new[] { "diffusers", "peft", "kohya", "comfyui" })
            Assert.Matches($@"{layout} +\S+ +[01]  the same", output);
        using var kept = SafetensorsFile.Open(Path.Combine(_folder.Path, "outputs.safetensors"));
        using var scope = NewDisposeScope();
        Assert.True(kept.Load("file").sub(kept.Load("without")).abs().max().item<float>() > 0);
        Assert.Equal(LoraFileLayout.Kohya, _lora.Load(Path.Combine(_folder.Path, "kohya.safetensors")).Layout);
    }

    private static (int Code, string Output, string Error) Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = LabCommandLine.Run(args, new Session(output, error, IsInteractive: false, CancellationToken.None));
        return (code, output.ToString(), error.ToString());
    }
}
