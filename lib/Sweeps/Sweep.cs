using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Schedulers;

namespace Dreambooth.Lab.Sweeps;

/// <summary>A named list of pictures to generate.</summary>
internal sealed record Sweep
{
    /// <summary>What it is called; a title, not a file name.</summary>
    public required string Name { get; init; }

    /// <summary>The pictures in the order they are shown.</summary>
    public required IReadOnlyList<SweepItem> Items { get; init; }

    /// <summary>Every combination of prompts, LoRA, guidance scales, samplers, noise levels and seeds.</summary>
    /// <param name="name">What the sweep is called.</param>
    /// <param name="axes">What varies.</param>
    /// <exception cref="LabException">An axis is empty or an item is not valid.</exception>
    public static Sweep Cross(string name, SweepAxes axes)
    {
        ArgumentNullException.ThrowIfNull(axes);
        var sweep = new Sweep { Name = name, Items = [.. axes.Items()] };
        sweep.Validate();
        return sweep;
    }

    /// <summary>Checks what does not depend on a model.</summary>
    /// <exception cref="LabException">There is no item, or one is out of range; the message names the first one.</exception>
    public void Validate()
    {
        if (Items.Count == 0)
            throw new LabException(
                $"The sweep '{Name}' has no picture: at least one of each axis is needed (for LoRA, null stands for none).");
        for (var i = 0; i < Items.Count; i++)
        {
            var item = Items[i];
            var error = item switch
            {
                { Steps: < 1 or > 1000 } => $"steps is {item.Steps}; 1 to 1000 is valid",
                { Guidance: var guidance } when !double.IsFinite(guidance) || guidance < 0 => $"guidance is {guidance}; 0 or more is valid",
                { LoraScale: var scale } when !double.IsFinite(scale) => $"lora_scale is {scale}; a finite number is needed",
                { Sampler: var sampler } when !Enum.IsDefined(sampler) =>
                    $"sampler is {(int)sampler}; it is none of {nameof(SamplerKind)}'s",
                { Sigmas: var sigmas } when !Enum.IsDefined(sigmas) =>
                    $"sigmas is {(int)sigmas}; it is none of {nameof(SigmaSchedule)}'s",
                { CacheInterval: < 1 } => $"cache_interval is {item.CacheInterval}; 1 or more is valid",
                { Strength: { } strength } when !(strength is > 0 and <= 1) => $"strength is {strength}; above 0 to 1 is valid",
                { Image: null, Mask: not null } => "it has a mask, but no picture to begin from",
                { SkipGuidanceLayers: { } layers } when NumberList.Parse(layers) is null =>
                    $"skip_guidance_layers is '{ShownText.Line(layers)}'; layer numbers from 0, such as 7,8,9, are valid",
                { GuidanceDetails: { } details } when details.Errors().Any() => string.Join("; ", details.Errors()),
                { Width: < 1 } or { Height: < 1 } => $"its size is {item.Width}×{item.Height} pixels; sides of 1 or more are valid",
                _ => PromptText.Complaint(item.Prompt, "its prompt") ?? PromptText.Complaint(item.NegativePrompt, "its negative prompt"),
            };
            if (error is not null)
                throw new LabException($"Picture {i} of the sweep '{Name}' (\"{ShownText.Line(item.Prompt)}\") is not valid: {error}.");
        }
    }

    /// <summary>
    /// Where each picture lies under the sweep's folder, <c>NNN_prompt/img_XX.png</c>: NNN counts the different prompts as they first come,
    /// XX the pictures of one prompt.
    /// </summary>
    /// <returns>As many as there are items, with slashes.</returns>
    public IReadOnlyList<string> Paths()
    {
        var folders = new Dictionary<string, (string Name, int Count)>(StringComparer.Ordinal);
        var paths = new string[Items.Count];
        for (var i = 0; i < paths.Length; i++)
        {
            var prompt = Items[i].Prompt;
            var (name, count) = folders.GetValueOrDefault(prompt, (PromptFolders.FolderName(folders.Count, prompt), 0));
            paths[i] = $"{name}/{PromptFolders.ImageName(count)}";
            folders[prompt] = (name, count + 1);
        }

        return paths;
    }
}
