using System.Reflection;
using Dreambooth.Lab.Tensors;

namespace Dreambooth.Lab.Tests.Golden;

public sealed class GoldenSetTests
{
    private const long MaxFixtureBytes = 8L << 20;

    /// <summary>Files that hold inputs of other cases and nothing to compare with.</summary>
    private static readonly string[] InputsOnly =
    [
        "training/prompt_embeds.safetensors", "pipelines_2/inputs.tiny-sd35m.safetensors", "pipelines_2/inputs.tiny-sd3m.safetensors",
        "samplers/inputs.safetensors", "optimizers/problem.safetensors",
    ];

    /// <summary>Optimizers that the lab does not offer: torch's AMSGrad and Adafactor, and CAME.</summary>
    private static readonly string[] NotOffered =
    [
        "optimizers/adamw_amsgrad.safetensors", "optimizers/adafactor_torch.safetensors", "optimizers/came.safetensors",
    ];

    /// <summary>Manifests name the types of weights as the files do.</summary>
    private static readonly Dictionary<string, string> Stored = new()
    {
        ["F32"] = "float32",
        ["F16"] = "float16",
        ["BF16"] = "bfloat16",
        ["I64"] = "int64",
    };

    public static TheoryData<string> Roots =>
        [.. new[] { GoldenSet.First, GoldenSet.Second }.SelectMany(set => new[] { set.Small, set.Path }).Distinct()];

    [Theory]
    [MemberData(nameof(Roots))]
    public void Manifests_EveryListedFile_IsThereWithTheListedTensors(string root)
    {
        var differences = new List<string>();
        foreach (var file in GoldenRoot.FoldersOf(root).SelectMany(folder => GoldenManifest.Read(root, folder).Files))
        {
            var path = Path.Combine(root, file.Folder, file.Name);
            if (!Path.Exists(path))
                differences.Add($"{path} is missing");
            else if (file.Keys.Count > 0)
                differences.AddRange(Differences(path, file));
        }

        Assert.Empty(differences);
    }

    [Fact]
    public void Fixtures_AllTogether_StaySmall()
    {
        var files = new DirectoryInfo(
            Path.Combine(GoldenSet.RepositoryRoot, "tests", "fixtures")).EnumerateFiles("*", SearchOption.AllDirectories);
        Assert.InRange(files.Sum(file => file.Length), 1, MaxFixtureBytes);
    }

    [Fact]
    [Trait("Category", "Parity")]
    public void ParityCases_OfTheSetInUse_AreAsManyAsTheManifestsCallFor()
    {
        var cases = ParityCases();
        if (GoldenSet.IsFull && GoldenSet.Second.IsFull)
            Assert.DoesNotContain(cases, golden => golden.IsAbsent);
        var covered = cases.Where(golden => !golden.IsAbsent).Select(golden => $"{golden.Folder}/{golden.File}").Except(InputsOnly)
            .ToHashSet();
        // Of the second set those folders are whole that something is compared with.
        var folders = GoldenSet.First.Folders.Concat(GoldenSet.Second.Folders.Intersect(cases.Select(golden => golden.Folder)));
        var expected = folders.SelectMany(folder => GoldenSet.Manifest(folder).Expectations)
            .Select(file => $"{file.Folder}/{file.Name}").Except(InputsOnly).Except(NotOffered).ToArray();
        Assert.Empty(expected.Except(covered));
        Assert.NotEmpty(expected);
        Assert.Equal(expected.Length, covered.Count);
    }

    private static IEnumerable<MethodInfo> ParityTheories() => typeof(GoldenSetTests).Assembly.GetTypes()
        .SelectMany(type => type.GetMethods())
        .Where(method => method.GetParameters().Any(parameter => parameter.ParameterType == typeof(GoldenCase)))
        .Where(method => method.GetCustomAttribute<TheoryAttribute>() is not null)
        .Where(method => HasParityTrait(method) || HasParityTrait(method.DeclaringType!));

    private static bool HasParityTrait(MemberInfo member) => member.GetCustomAttributesData().Any(attribute =>
        attribute.AttributeType == typeof(TraitAttribute)
        && attribute.ConstructorArguments is [{ Value: "Category" }, { Value: "Parity" }]);

    private static GoldenCase[] ParityCases() => [.. ParityTheories()
        .SelectMany(method => method.GetCustomAttributes<MemberDataAttribute>()
            .SelectMany(data => (IEnumerable<ITheoryDataRow>)method.DeclaringType!.GetProperty(data.MemberName)!.GetValue(null)!))
        .SelectMany(row => row.GetData().OfType<GoldenCase>())];

    private static string[] Differences(string path, GoldenFile file)
    {
        using var opened = SafetensorsFile.Open(path);
        var listed = file.Keys.Select(key => Describe(key.Key,
            key.Value.GetProperty("dtype").GetString()!, key.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64())));
        var stored = opened.Tensors.Values.Select(entry => Describe(entry.Name, $"{entry.DType}", entry.Shape));
        return
        [
            .. listed.Except(stored, StringComparer.OrdinalIgnoreCase).Select(entry => $"{path}: {entry} is listed, not stored"),
            .. stored.Except(listed, StringComparer.OrdinalIgnoreCase).Select(entry => $"{path}: {entry} is stored, not listed"),
        ];
    }

    private static string Describe(string name, string dtype, IEnumerable<long> shape) =>
        $"{name} {(Stored.TryGetValue(dtype, out var full) ? full : dtype)} [{string.Join(", ", shape)}]";
}
