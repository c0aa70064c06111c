namespace Dreambooth.Lab.Evaluation;

/// <summary>What a piece of advice is about.</summary>
public enum AdviceKind
{
    /// <summary>The subject has not been learned well enough yet.</summary>
    Undertrained,

    /// <summary>Prompts are followed less and less.</summary>
    Overtrained,

    /// <summary>Pictures without the identifier show the subject.</summary>
    IdentifierLeaks,

    /// <summary>Training pictures come back as they are.</summary>
    Copies,

    /// <summary>The surroundings of the photos were learned with the subject.</summary>
    Background,

    /// <summary>There are too few photos, or too like each other.</summary>
    FewPhotos,

    /// <summary>Too few pictures were evaluated to tell the candidates apart.</summary>
    FewPictures,

    /// <summary>Nothing was found to change.</summary>
    Sound,

    /// <summary>There are no pictures without LoRA to compare with.</summary>
    NoComparison,
}
