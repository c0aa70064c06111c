using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Golden;

/// <summary>
/// The reference's fixtures that parity tests compare with, in two sets with folders of different names. The full first set is the folder
/// that <c>LAB_GOLDEN</c> names, else <c>../shared/golden</c> beside the repository; where neither is there, the small committed set serves
/// and the rest of the cases is reported as skipped. The second set is found in the same way by <c>LAB_GOLDEN_2</c> and <c>golden_2</c>.
/// Everything comes from the sets' manifests, so that any sets of this form will do.
/// </summary>
/// <remarks>
/// A parity test:
/// <code>
/// [Trait("Category", "Parity")]
/// public sealed class SomethingTests
/// {
///     public static TheoryData&lt;GoldenCase&gt; Runs => GoldenSet.Cases("transformer", file => file.Has("output"));
///
///     [Theory]
///     [MemberData(nameof(Runs))]
///     public void Forward_GoldenCase_Matches(GoldenCase golden)
///     {
///         golden.Require();
///         using var scope = NewDisposeScope();
///         var model = Load(golden.PipelineFolder);
///         GoldenAssert.Close(golden.Load("output"), model.forward(golden.Load("hidden_states")), 2e-5);
///     }
/// }
/// </code>
/// </remarks>
public static class GoldenSet
{
    private static readonly ConcurrentDictionary<string, GoldenManifest> Manifests = new();
    private static readonly ConcurrentDictionary<string, SafetensorsFile> OpenFiles = new();
    private static readonly Lazy<GoldenRoot> FoundFirst = new(() => new("LAB_GOLDEN", "golden"));
    private static readonly Lazy<GoldenRoot> FoundSecond = new(() => new("LAB_GOLDEN_2", "golden_2"));

    /// <summary>The repository's root folder.</summary>
    public static string RepositoryRoot { get; } = FindRepository();

    /// <summary>The committed part of the first set.</summary>
    public static string SmallRoot => First.Small;

    /// <summary>The first set in use.</summary>
    public static string Root => First.Path;

    /// <summary>Whether the first set in use is a full one; then no case may be skipped.</summary>
    public static bool IsFull => First.IsFull;

    /// <summary>The first set.</summary>
    internal static GoldenRoot First => FoundFirst.Value;

    /// <summary>The second set.</summary>
    internal static GoldenRoot Second => FoundSecond.Value;

    /// <summary>
    /// The folder with <c>clip/</c> and <c>t5/</c> tokenizer files: LAB_TOKENIZERS, else <c>tokenizers</c> beside the set, else
    /// <c>../shared/tokenizers</c> beside the repository; null when there is none.
    /// </summary>
    public static string? TokenizerRoot { get; } = new[]
    {
        Environment.GetEnvironmentVariable("LAB_TOKENIZERS"),
        Environment.GetEnvironmentVariable("LAB_GOLDEN") is { Length: > 0 } golden ? Path.Combine(golden, "..", "tokenizers") : null,
        Path.Combine(FindRepository(), "..", "shared", "tokenizers"),
    }.FirstOrDefault(path => !string.IsNullOrEmpty(path) && Directory.Exists(path));

    /// <summary>The manifest of a folder of the sets in use.</summary>
    public static GoldenManifest Manifest(string folder) =>
        Manifests.GetOrAdd(folder, static name => GoldenManifest.Read(RootOf(name), name));

    /// <summary>Whether the sets in use have the folder.</summary>
    public static bool HasFolder(string folder) => File.Exists(Path.Combine(RootOf(folder), folder, "manifest.json"));

    /// <summary>The full path of a file or pipeline of the sets in use.</summary>
    public static string PathOf(string folder, string name) => Path.Combine(RootOf(folder), folder, name);

    /// <summary>The names of the set's pipelines, as <c>tiny-sd35m</c>.</summary>
    public static IReadOnlyList<string> Pipelines => [.. Manifest("pipelines").Files.Select(file => file.Name)];

    /// <summary>One case per file of a folder (those with tensors, or all where there are none) that the predicate chooses.</summary>
    public static TheoryData<GoldenCase> Cases(string folder, Func<GoldenFile, bool>? predicate = null) =>
        Collect(folder, predicate, static file => [null]);

    /// <summary>
    /// One case per file and value of the pattern's group <c>case</c> over the file's keys:
    /// <c>^(?&lt;case&gt;shift[^.]+\.n\d+)\.sigmas$</c> makes the cases <c>shift3.n1</c>, <c>shift3.n2</c> and so on.
    /// </summary>
    public static TheoryData<GoldenCase> KeyCases(string folder, string pattern, Func<GoldenFile, bool>? predicate = null) =>
        Collect(folder, predicate, file => file.CaseKeys(new Regex(pattern, RegexOptions.ExplicitCapture)));

    /// <summary>One case per pipeline of the set.</summary>
    public static TheoryData<GoldenCase> PipelineCases(Func<string, bool>? predicate = null) =>
        Collect("pipelines", file => predicate?.Invoke(file.Name) ?? true, static file => [null]);

    /// <summary>Loads one tensor of the sets in use; the caller owns it and may write into it.</summary>
    public static Tensor Load(string folder, string file, string key)
    {
        var opened = OpenFiles.GetOrAdd(PathOf(folder, file), SafetensorsFile.Open);
        using var stored = opened.Load(key);
        return stored.clone();
    }

    private static TheoryData<GoldenCase> Collect(
        string folder, Func<GoldenFile, bool>? predicate, Func<GoldenFile, IEnumerable<string?>> keysOf)
    {
        var cases = new TheoryData<GoldenCase>();
        if (HasFolder(folder))
        {
            foreach (var file in Manifest(folder).Expectations.Where(file => predicate?.Invoke(file) ?? true))
            {
                foreach (var key in keysOf(file))
                    cases.Add(new GoldenCase(folder, file.Name, key));
            }
        }

        if (!HasFolder(folder) || !SetOf(folder).IsFull)
            cases.Add(GoldenCase.Absent(folder));
        return cases;
    }

    private static GoldenRoot SetOf(string folder) => Second.Folders.Contains(folder) ? Second : First;

    private static string RootOf(string folder) => SetOf(folder).Path;

    private static string FindRepository()
    {
        // The test program's own folder is the current one when it runs by itself elsewhere: LAB_REPOSITORY names the checkout then.
        string[] starts =
            [AppContext.BaseDirectory, Environment.GetEnvironmentVariable("LAB_REPOSITORY") ?? Directory.GetCurrentDirectory()];
        return starts.Select(Above).FirstOrDefault(found => found is not null)
            ?? throw new InvalidOperationException($"No folder above {string.Join(" or ", starts)} holds Dreambooth.Lab.csproj.");
    }

    private static string? Above(string start)
    {
        for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Dreambooth.Lab.csproj")))
                return folder.FullName;
        }

        return null;
    }
}
