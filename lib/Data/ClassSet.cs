using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Data;

/// <summary>Class pictures of one prompt in one folder; subjects of one class share a set.</summary>
/// <param name="Prompt">What they show.</param>
/// <param name="Folder">Where they are.</param>
/// <param name="Most">How many are used at most; null for all.</param>
internal sealed record ClassSet(string Prompt, string Folder, int? Most)
{
    /// <summary>The sets of some subjects, each once, and which set each subject has.</summary>
    /// <param name="subjects">The subjects; with class pictures all of them or none.</param>
    /// <returns>Both lists are empty without class pictures.</returns>
    /// <exception cref="LabException">A folder is to hold the class pictures of two prompts.</exception>
    public static (IReadOnlyList<ClassSet> Sets, IReadOnlyList<int> SetOf) Of(IReadOnlyList<TrainingSubject> subjects)
    {
        List<ClassSet> sets = [];
        List<int> setOf = [];
        foreach (var subject in subjects.Where(subject => subject.ClassDataDir is not null))
        {
            var own = new ClassSet(subject.ClassPrompt!, subject.ClassDataDir!, subject.NumClassImages);
            var known = sets.FindIndex(set => RealPath.AreSame(set.Folder, own.Folder));
            if (known < 0)
                sets.Add(own);
            else if (sets[known].Prompt != own.Prompt)
            {
                throw new LabException(
                    $"The class_data_dir {own.Folder} is that of two class prompts, '{ShownText.Line(sets[known].Prompt)}' and "
                    + $"'{ShownText.Line(own.Prompt)}'. Give each class a folder of its own.");
            }
            else
                sets[known] = sets[known] with { Most = Math.Max(sets[known].Most ?? int.MaxValue, own.Most ?? int.MaxValue) };
            setOf.Add(known < 0 ? sets.Count - 1 : known);
        }

        return (sets, setOf);
    }
}
