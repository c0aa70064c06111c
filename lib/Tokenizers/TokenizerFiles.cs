using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tokenizers;

/// <summary>
/// Where the large tokenizer files of a model are. A model folder may carry the small configs alone; the vocabulary is then
/// taken from a shared folder with <c>clip/</c> and <c>t5/</c> in it.
/// </summary>
public sealed class TokenizerFiles
{
    /// <summary>Environment variable that names the shared folder.</summary>
    public const string Variable = "LAB_TOKENIZERS";

    private readonly List<(string Folder, string Origin)> _shared = [];

    /// <summary>
    /// Sets the search order: the model's own folder, then <paramref name="tokenizersFolder"/>, then <see cref="Variable"/>.
    /// </summary>
    /// <param name="tokenizersFolder">The folder given with <c>--tokenizers</c>, or null.</param>
    /// <exception cref="LabException">The folder given does not exist.</exception>
    public TokenizerFiles(string? tokenizersFolder = null)
        : this(tokenizersFolder, Environment.GetEnvironmentVariable(Variable))
    {
    }

    internal TokenizerFiles(string? tokenizersFolder, string? variable)
    {
        if (tokenizersFolder is not null && !Directory.Exists(tokenizersFolder))
            throw new LabException($"The tokenizers folder '{tokenizersFolder}' does not exist. It is a folder with clip/ and t5/ in it.");
        if (tokenizersFolder is not null)
            _shared.Add((tokenizersFolder, "--tokenizers"));
        if (!string.IsNullOrEmpty(variable))
            _shared.Add((variable, Variable));
    }

    /// <summary>Finds files that belong together.</summary>
    /// <param name="folder">The tokenizer's folder in the model, for example <c>.../tokenizer_2</c>.</param>
    /// <param name="kind">Folder of that kind of tokenizer in a shared folder: <c>clip</c> or <c>t5</c>.</param>
    /// <param name="names">File names; all must be in one folder.</param>
    /// <returns>Their paths, in the order of <paramref name="names"/>.</returns>
    /// <exception cref="LabException">No folder has them all; the message says what is missing where.</exception>
    public IReadOnlyList<string> Find(string folder, string kind, params IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(names);
        var places = new List<(string Folder, string Origin)> { (folder, "the model's own folder") };
        foreach (var (shared, origin) in _shared)
        {
            places.Add((Path.Combine(shared, kind), origin));
            places.Add((Path.Combine(shared, Path.GetFileName(Path.TrimEndingDirectorySeparator(folder))), origin));
        }

        foreach (var (place, _) in places)
            if (names.All(name => File.Exists(Path.Combine(place, name))))
                return [.. names.Select(name => Path.Combine(place, name))];
        var missing = places.Select(
            p => $"  {p.Folder} ({p.Origin}): no {string.Join(", no ", names.Where(name => !File.Exists(Path.Combine(p.Folder, name))))}");
        throw new LabException(
            $"The tokenizer of '{folder}' needs {string.Join(" and ", names)}. Looked "
            + $"in{Environment.NewLine}{string.Join(Environment.NewLine, missing)}{Environment.NewLine}" +
            $"Put the files into the model's folder, or name a folder with clip/ and t5/ by --tokenizers or {Variable}.");
    }
}
