using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Data;

/// <summary>
/// The file of <c>--subjects</c>: a JSON list with an object a subject, whose keys are flag names, as the <c>concepts_list</c> of older
/// DreamBooth scripts.
/// </summary>
internal static class SubjectsFile
{
    /// <summary>The name of the copy that a run keeps beside its recipe.</summary>
    public const string CopyName = "recipe.subjects.json";

    private const int Most = 1000;

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="defaults">Gives what an object leaves out; its folder and prompt of the instance do not count.</param>
    /// <exception cref="LabException">
    /// It is no list of objects, a key is unknown or missing, a value is out of range, or two subjects have the same pictures. The message
    /// names file and subject.
    /// </exception>
    public static IReadOnlyList<TrainingSubject> Read(string path, TrainingSubject defaults)
    {
        var file = JsonField.ReadFile(path, "subjects file");
        if (!file.IsList || file.Element.GetArrayLength() is 0 or > Most)
        {
            throw new LabException(
                $"{path} is no list of subjects; valid is a list of 1 to {Most} objects, such as "
                + """[{"instance_data_dir": "photos/cat", "instance_prompt": "a photo of gmc cat"}].""");
        }

        List<TrainingSubject> subjects = [];
        foreach (var item in file.Items())
        {
            var subject = Read(item with { Source = $"{path}, subject {subjects.Count + 1}", Path = string.Empty }, defaults);
            var twin = subjects.FindIndex(other => RealPath.AreSame(other.InstanceDataDir, subject.InstanceDataDir));
            if (twin >= 0)
            {
                throw new LabException(
                    $"{path}: the subjects {twin + 1} and {subjects.Count + 1} have the same instance_data_dir, {subject.InstanceDataDir}. "
                    + "Give each a folder of its own.");
            }

            subjects.Add(subject);
        }

        return subjects;
    }

    private static TrainingSubject Read(JsonField item, TrainingSubject defaults)
    {
        if (!item.IsObject)
            throw new LabException($"{item.Source} is no JSON object with the subject's folder and prompt.");
        var values = TrainingSubject.Flags.Read(item);
        foreach (var flag in TrainingSubject.Flags.All.Where(flag => !flag.IsRequired && values.GetValueOrDefault(flag) is null))
            values[flag] = flag.Property.GetValue(defaults);
        var subject = TrainingSubject.Flags.Build(values);
        string[] errors =
        [
            .. TrainingSubject.Flags.Check(subject),
            .. PromptText.Complaints(("instance_prompt", subject.InstancePrompt), ("class_prompt", subject.ClassPrompt)),
        ];
        return errors.Length == 0 ? subject : throw new LabException($"{item.Source}: {string.Join(" ", errors)}");
    }
}
