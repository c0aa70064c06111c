using System.Diagnostics;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Notebooks;

/// <summary>The files that start the program on several machines, as far as they can be checked without such machines.</summary>
public sealed class ClusterFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-cluster-files-").FullName;

    private static string Files => Path.Combine(GoldenSet.RepositoryRoot, "notebooks", "cluster");

    private static string Check => Path.Combine(GoldenSet.RepositoryRoot, "tests", "fixtures", "kubernetes", "check.py");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Scripts_AsShipped_AreWholeAndStopAtTheFirstError()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no bash.");
        string[] scripts = [.. Directory.GetFiles(Files).Where(file => File.ReadLines(file).First() == "#!/bin/bash")];
        Assert.Equal(["sweep.sbatch", "torchrun.sh", "train.sbatch"], scripts.Select(Path.GetFileName).Order());
        Assert.All(scripts, script => Assert.Equal((0, ""), Run("bash", "-n", script)));
        Assert.All(scripts, script => Assert.Contains("set -euo pipefail", File.ReadAllLines(script)));
        // Slurm reads its options up to the first command.
        Assert.All(scripts, script => Assert.DoesNotContain(
            File.ReadAllLines(script).SkipWhile(line => line != "set -euo pipefail"),
            line => line.StartsWith("#SBATCH", StringComparison.Ordinal)));
        if (File.Exists("/usr/bin/shellcheck"))
            Assert.Equal((0, ""), Run("shellcheck", scripts));
    }

    [Fact]
    public void Manifests_AsShipped_HaveOnlyKnownFields()
    {
        SkipWithoutYaml();
        Assert.Equal((0, "2 manifests are right"), Run("/usr/bin/python3", Check, Files));
        var sweep = File.ReadAllText(Path.Combine(Files, "kubernetes-sweep.yaml"));
        File.WriteAllText(
            Path.Combine(_folder, "wrong.yaml"), sweep.Replace("completionMode", "completionmode", StringComparison.Ordinal)
                .Replace("value: \"4\"", "value: 4", StringComparison.Ordinal)
                .Replace("          image:", "          picture:", StringComparison.Ordinal));
        var (code, output) = Run("/usr/bin/python3", Check, _folder);
        Assert.Equal(1, code);
        Assert.Equal(
            [
                "wrong.yaml: Job.spec.completionmode is no field",
                "wrong.yaml: Job.spec.template.spec.containers[0].env[0].value is 4, no string",
                "wrong.yaml: Job.spec.template.spec.containers[0].picture is no field",
            ],
            output.Split('\n').Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Manifests_AsShipped_AgreeWithThemselves()
    {
        string Value(string file, string key) => File.ReadAllLines(Path.Combine(Files, file))
            .Single(line => line.TrimStart().StartsWith(key + ":", StringComparison.Ordinal)).Split(':', 2)[1].Trim().Trim('"');
        string Environment(string file, string name)
        {
            var lines = File.ReadAllLines(Path.Combine(Files, file));
            return lines[Array.FindIndex(lines, line => line.Trim() == $"- name: {name}") + 1].Split(':', 2)[1].Trim().Trim('"');
        }

        Assert.Equal(Value("kubernetes-sweep.yaml", "completions"), Environment("kubernetes-sweep.yaml", "LAB_SHARD_COUNT"));
        Assert.Equal(Value("kubernetes-train.yaml", "completions"), Value("kubernetes-train.yaml", "parallelism"));
        Assert.Equal(Value("kubernetes-train.yaml", "completions"), Environment("kubernetes-train.yaml", "WORLD_SIZE"));
        // JobSet's names of pods: of the set, of the job, its number, the pod's number; of the network the set's.
        Assert.Equal("dreambooth-train-ranks-0-0.dreambooth-train", Environment("kubernetes-train.yaml", "MASTER_ADDR"));
    }

    [Fact]
    public void Dockerfile_AsShipped_KeepsTheUsualRules()
    {
        var text = File.ReadAllText(Path.Combine(Files, "Dockerfile")).Replace("\\\n", " ", StringComparison.Ordinal);
        var steps = text.Split('\n').Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split(' ', 2)).ToList();
        string[] known = ["FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "ENTRYPOINT"];
        Assert.All(steps, step => Assert.Contains(step[0], known));
        Assert.All(steps.Where(step => step[0] == "FROM"), step => Assert.Matches(@"^\S+:[0-9][^ ]*( AS \w+)?$", step[1]));
        Assert.All(steps.Where(step => step[1].Contains("apt-get install", StringComparison.Ordinal)), step => Assert.Matches(
            "^apt-get update +&& apt-get install -y --no-install-recommends .* && rm -rf /var/lib/apt/lists/\\*$", step[1]));
        Assert.All(steps.Where(step => step[1].Contains("pip install", StringComparison.Ordinal)), step => Assert.Matches(
            "--no-cache-dir( [a-z]+==[0-9.]+)+$", step[1]));
        Assert.Equal(["USER", "WORKDIR", "ENTRYPOINT"], steps.TakeLast(3).Select(step => step[0]));
        Assert.NotEqual("0", steps[^3][1]);
        Assert.StartsWith("[\"dotnet\", ", steps[^1][1], StringComparison.Ordinal);
    }

    private static void SkipWithoutYaml()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/python3"), "There is no Python.");
        Assert.SkipUnless(Run("/usr/bin/python3", "-c", "import yaml").Code == 0, "Python has no yaml: apt-get install python3-yaml.");
    }

    private static (int Code, string Output) Run(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, (output + error.Result).Trim());
    }
}
