using System.Text.Json;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;

namespace Dreambooth.Lab.Tests.Cli;

public sealed class CheckVerbTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly TemporaryFolder _folder = new();

    public CheckVerbTests() => _pictures.AddMany(6);

    public void Dispose()
    {
        _pictures.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Check_ATrainingThatCanStart_TellsWhatItWillDoAndWritesNothing()
    {
        var (code, output, error) = Check("--max_train_steps=6", "--num_processes=2");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains(
            "6 steps, 3 epochs of 6 pictures; a step has 4 instance pictures in 4 micro-batches of 1.", output, StringComparison.Ordinal);
        Assert.Matches(@"LoRA +ok +lora of rank 2 on \d+ layers", output);
        Assert.EndsWith("The training can start.", output.TrimEnd(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Out));
    }

    [Fact]
    public void Check_WhatStopsATraining_IsAProblemAndExitCodeOne()
    {
        _pictures.AddText("broken.jpg", "half a file");
        var (code, output, _) = Check("--learning_rate=1", "--lr_scheduler=piecewise_constant", "--json");
        Assert.Equal(1, code);
        using var json = JsonDocument.Parse(output);
        Assert.False(json.RootElement.GetProperty("can_start").GetBoolean());
        var problems = json.RootElement.GetProperty("checks").EnumerateArray()
            .Where(check => check.GetProperty("status").GetString() == "problem").Select(check => check.GetProperty("subject").GetString());
        Assert.Equal(["settings", "photos"], problems);
        Assert.Contains("broken.jpg", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--rank=0", "rank is 0")]
    [InlineData("--num_processes=0", "num_processes is 0")]
    public void Check_AValueOutOfRange_IsAUsageError(string argument, string message)
    {
        var (code, _, error) = Check(argument);
        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    private string Out => Path.Combine(_folder.Path, "out");

    private (int Code, string Output, string Error) Check(params string[] more)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        string[] arguments =
        [
            "check", $"--pretrained_model_name_or_path={TinyPipeline.Folder}", $"--tokenizers={TinyTokenizers.Root}",
            $"--instance_data_dir={_pictures.Folder}", "--instance_prompt=a photo of gmc cat", $"--output_dir={Out}", "--resolution=32",
            "--train_batch_size=1", "--gradient_accumulation_steps=2", "--max_sequence_length=32", "--rank=2", "--device=cpu", .. more,
        ];
        var code = LabCommandLine.Run(arguments, new Session(output, error, false, default));
        return (code, output.ToString(), error.ToString());
    }
}
