using System.Text.Json;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Data;

/// <summary>What a class picture was generated from, as the record in its file tells it.</summary>
/// <param name="Prompt">The class prompt.</param>
/// <param name="Model">The name of the model's folder or file.</param>
/// <param name="Seed">The run's seed; its noise depends on this and on the index.</param>
/// <param name="Index">Its index in the folder.</param>
/// <param name="Steps">Denoising steps; null where the file tells no number.</param>
/// <param name="Guidance">Scale of the classifier-free guidance; null where the file tells no number.</param>
internal sealed record ClassPictureOrigin(string Prompt, string Model, ulong Seed, int Index, int? Steps, double? Guidance)
{
    /// <summary>Reads the origin of a picture.</summary>
    /// <param name="path">Its file.</param>
    /// <returns>Null where the file tells none that can be read: a picture of the user's own, or of another program.</returns>
    public static ClassPictureOrigin? Read(string path)
    {
        if (PictureNotes.Read(path, File.ReadAllBytes(path)) is not { } note)
            return null;
        try
        {
            var json = JsonField.Parse(note, path);
            return new ClassPictureOrigin(
                json.Get("prompt").Text(), json.Get("model").Text(), (ulong)json.Get("seed").Whole(0), json.Get("index").Int(),
                Number("steps") is { } steps && steps.TryGetInt32(out var count) ? count : null, Number("guidance")?.GetDouble());

            JsonElement? Number(string key) =>
                json.Find(key) is { Element: { ValueKind: JsonValueKind.Number } number } ? number : null;
        }
        catch (LabException)
        {
            return null;
        }
    }

    /// <summary>Refuses a folder whose pictures were generated for another prompt or by another model.</summary>
    /// <param name="pictures">The pictures that a training would take.</param>
    /// <param name="prompt">The class prompt that they should be of.</param>
    /// <param name="model">The name of the model's folder or file that should have generated them.</param>
    /// <returns>The origins of those whose file tells one, in their order.</returns>
    /// <exception cref="LabException">One is of another prompt or model; the message counts them and names the first.</exception>
    public static IReadOnlyList<ClassPictureOrigin> Check(IReadOnlyList<string> pictures, string prompt, string model)
    {
        var known = pictures.Select(path => (Path: path, Origin: Read(path))).Where(entry => entry.Origin is not null).ToList();
        var others = known.FindAll(entry => entry.Origin!.Prompt != prompt || entry.Origin.Model != model);
        if (others.Count == 0)
            return [.. known.Select(entry => entry.Origin!)];
        var (path, origin) = (others[0].Path, others[0].Origin!);
        var difference = origin.Prompt != prompt
            ? $"for the class_prompt '{ShownText.Line(origin.Prompt)}', and this run's is '{ShownText.Line(prompt)}'"
            : $"by the model {ShownText.Line(origin.Model)}, and this run's is {ShownText.Line(model)}";
        throw new LabException(
            $"{others.Count} of the {pictures.Count} class pictures in {Path.GetDirectoryName(path)} were generated {difference} "
            + $"(the first is {Path.GetFileName(path)}). "
            + "Name another class_data_dir, or delete them.");
    }
}
