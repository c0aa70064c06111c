using System.Globalization;

namespace Dreambooth.Lab.Tests.Hub;

/// <summary>A model repository of the local hub.</summary>
internal sealed class LocalRepo(string id)
{
    private int _commits;

    public string Id => id;

    public bool Gated { get; set; }

    public bool Private { get; set; }

    /// <summary>What the hub answers to accounts that asked for access and wait.</summary>
    public bool AwaitsReview { get; set; }

    /// <summary>Files by commit.</summary>
    public Dictionary<string, Dictionary<string, LocalFile>> Commits { get; } = [];

    /// <summary>Branches and tags.</summary>
    public Dictionary<string, string> Refs { get; } = [];

    public string Head => Refs["main"];

    public Dictionary<string, LocalFile> Files => Commits[Head];

    /// <summary>Adds a commit to main, with the files of the one before it and these.</summary>
    public LocalRepo Commit(params (string Path, LocalContent Content)[] files)
    {
        var all = Refs.TryGetValue("main", out var head) ? new Dictionary<string, LocalFile>(Commits[head]) : [];
        foreach (var (path, content) in files)
            all[path] = new LocalFile(
                content, path.EndsWith(".safetensors", StringComparison.Ordinal) || path.EndsWith(".bin", StringComparison.Ordinal));
        var name = (++_commits).ToString("x40", CultureInfo.InvariantCulture);
        Commits[name] = all;
        Refs["main"] = name;
        return this;
    }

    public string? CommitOf(string revision) => Refs.GetValueOrDefault(revision) ?? (Commits.ContainsKey(revision) ? revision : null);
}
