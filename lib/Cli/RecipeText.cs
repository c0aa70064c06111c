using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Cli;

/// <summary>A training's configuration from a recipe file and what takes precedence over it.</summary>
internal static class RecipeText
{
    /// <summary>Reads it; nothing is validated.</summary>
    /// <param name="recipe">The recipe's file; null for none.</param>
    /// <param name="given">What takes precedence.</param>
    /// <param name="warn">Told of names that are accepted without effect.</param>
    /// <exception cref="LabException">The file cannot be read, or names or values in it are wrong.</exception>
    public static DreamBoothConfig Read(string? recipe, IReadOnlyDictionary<Flag, object?> given, Action<string> warn)
    {
        var values = recipe is null ? [] : DreamBoothConfig.Flags.Read(
            JsonField.ReadFile(recipe, "recipe"),
            name => DreamBoothConfig.UnusedFlags.Accept(name, message => warn($"{recipe}: {message}")));
        foreach (var (flag, value) in given)
            values[flag] = value;
        return DreamBoothConfig.Flags.Build(values);
    }
}
