using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Schedulers;

/// <summary>The weighting schemes under the names that the command line and the reference use.</summary>
public static class WeightingSchemeNames
{
    private static readonly (string Name, WeightingScheme Scheme)[] Known =
    [
        ("none", WeightingScheme.None),
        ("sigma_sqrt", WeightingScheme.SigmaSqrt),
        ("logit_normal", WeightingScheme.LogitNormal),
        ("mode", WeightingScheme.Mode),
        ("cosmap", WeightingScheme.Cosmap),
    ];

    /// <summary>Every name, in the order of <see cref="WeightingScheme"/>.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Known.Select(known => known.Name)];

    /// <summary>The scheme of a name.</summary>
    /// <exception cref="LabException">There is no such scheme; the message lists the valid names.</exception>
    public static WeightingScheme Parse(string name)
    {
        foreach (var known in Known)
        {
            if (known.Name == name)
                return known.Scheme;
        }

        throw new LabException($"The weighting scheme '{name}' is unknown; valid are {string.Join(", ", All)}.");
    }

    /// <summary>The name of a scheme.</summary>
    public static string NameOf(WeightingScheme scheme) => Known.First(known => known.Scheme == scheme).Name;
}
