using System.Globalization;

namespace Dreambooth.Lab.Display;

/// <summary>One setting of a page's pictures, with the values that it has among them.</summary>
/// <param name="Key">The record's name of it.</param>
/// <param name="Label">What readers see.</param>
/// <param name="IsAxis">Whether pictures can be filtered and arranged by it.</param>
/// <param name="Values">Different values in the order in which they are shown, at least one.</param>
/// <param name="Places">The place of each picture's value among them.</param>
internal sealed record SweepPageField(string Key, string Label, bool IsAxis, IReadOnlyList<string> Values, int[] Places)
{
    // What varies comes in this order; what is not named comes after it. Value: label, and what stands where a record has none.
    private static readonly Dictionary<string, (string Label, string Without)> Known = new(StringComparer.Ordinal)
    {
        ["prompt"] = ("prompt", string.Empty),
        ["negative_prompt"] = ("negative prompt", "none"),
        ["family"] = ("family", "none"),
        ["image_sha256"] = ("image", "none"),
        ["mask"] = ("mask", "none"),
        ["strength"] = ("strength", "–"),
        ["model"] = ("model", "–"),
        ["lora"] = ("LoRA", "none"),
        ["lora_scale"] = ("LoRA scale", "none"),
        ["guidance"] = ("guidance", "–"),
        ["guidance_start"] = ("guidance start", "0"),
        ["guidance_end"] = ("guidance end", "1"),
        ["guidance_rescale"] = ("rescale", "0"),
        ["zero_steps"] = ("CFG-Zero* steps", "off"),
        ["skip_guidance_layers"] = ("skipped layers", "none"),
        ["skip_layer_guidance_scale"] = ("skip-layer scale", "–"),
        ["perturbed_layers"] = ("perturbed layers", "none"),
        ["perturbed_scale"] = ("perturbed scale", "–"),
        ["sampler"] = ("sampler", "–"),
        ["sigmas"] = ("noise levels", "model"),
        ["steps"] = ("steps", "–"),
        ["cache_interval"] = ("cache interval", "1"),
        ["cache_order"] = ("cache order", "0"),
        ["width"] = ("width", "the model's"),
        ["height"] = ("height", "the model's"),
        ["seed"] = ("seed", "–"),
        ["index"] = ("picture", "1"),
    };

    // Of no interest to whoever compares pictures.
    private static readonly HashSet<string> NoAxes = new(StringComparer.Ordinal)
    {
        "batch_size", "batch_row", "batch_prompts", "noise_seed", "noise_index", "step_noise_seed", "model_fingerprint",
        "tokenizers_fingerprint", "lora_sha256", "lora_bytes", "program", "device", "version",
    };

    private static readonly string[] Hashes = ["image_sha256", "mask"];
    private static readonly string[] OfLora = ["lora", "lora_scale", "lora_sha256", "lora_bytes"];

    /// <summary>The settings of some pictures.</summary>
    /// <param name="pictures">At least one.</param>
    public static IReadOnlyList<SweepPageField> Of(IReadOnlyList<SweepPagePicture> pictures)
    {
        var named = Named(pictures);
        List<SweepPageField> fields = [.. Known.Keys.Concat(named.SelectMany(settings => settings.Keys).Order(StringComparer.Ordinal))
            .Distinct(StringComparer.Ordinal).Where(key => named.Any(settings => settings.ContainsKey(key)))
            .Select(key => Of(key, named))];
        return [.. fields.Select((field, place) => field with { IsAxis = field.IsAxis && !IsImplied(fields, place) })];
    }

    // Two LoRA of one name are told apart by their hashes, pictures of a prompt are counted from 1, files are named by a few digits.
    private static List<Dictionary<string, string>> Named(IReadOnlyList<SweepPagePicture> pictures)
    {
        var settings = pictures.Select(picture => new Dictionary<string, string>(picture.Settings, StringComparer.Ordinal)).ToList();
        var hashes = settings.Select(one => (Name: one.GetValueOrDefault("lora"), Hash: one.GetValueOrDefault("lora_sha256"))).Distinct()
            .ToLookup(lora => lora.Name, lora => lora.Hash);
        foreach (var one in settings)
        {
            if (one.TryGetValue("lora", out var lora) && hashes[lora].Count() > 1)
                one["lora"] = $"{lora} ({one["lora_sha256"][..6]})";
            if (one.TryGetValue("index", out var index) && int.TryParse(index, CultureInfo.InvariantCulture, out var number))
                one["index"] = (number + 1).ToString(CultureInfo.InvariantCulture);
            if (one.GetValueOrDefault("sampler") == "flow_match_euler")
                one["sampler"] = "euler";
            foreach (var key in Hashes.Where(key => one.GetValueOrDefault(key)?.Length == 64))
                one[key] = one[key][..8];
            foreach (var key in OfLora.Where(key => one.GetValueOrDefault(key) == ""))
                one.Remove(key);
        }

        return settings;
    }

    private static SweepPageField Of(string key, List<Dictionary<string, string>> settings)
    {
        var (label, without) = Known.GetValueOrDefault(key, (key.Replace('_', ' '), "–"));
        string[] all = [.. settings.Select(one => one.GetValueOrDefault(key, without))];
        string[] values = [.. all.Distinct(StringComparer.Ordinal)];
        // Numbers rise, with what is no number before them; texts stay in the order of the pictures.
        if (values.Count(value => double.TryParse(value, CultureInfo.InvariantCulture, out _)) > 1)
            values = [.. values.OrderBy(value => double.TryParse(value, CultureInfo.InvariantCulture, out var number) ? number : -1e300)];
        var places = values.Index().ToDictionary(entry => entry.Item, entry => entry.Index, StringComparer.Ordinal);
        return new SweepPageField(key, label, !NoAxes.Contains(key), values, Array.ConvertAll(all, value => places[value]));
    }

    // A setting that follows from another one says nothing beside it, as the LoRA beside its scale; of two that follow from each other the
    // first stays.
    private static bool IsImplied(List<SweepPageField> fields, int place) => fields[place].Values.Count > 1 && fields.Index().Any(other =>
        other.Index != place && other.Item.IsAxis && Implies(other.Item, fields[place])
        && (other.Index < place || !Implies(fields[place], other.Item)));

    private static bool Implies(SweepPageField one, SweepPageField other) =>
        one.Places.Zip(other.Places).Distinct().Count() == one.Values.Count;
}
