namespace Dreambooth.Lab.Data;

/// <summary>A subject's pictures as they were read.</summary>
/// <param name="Subject">Where they are.</param>
/// <param name="Captions">Their own prompts.</param>
/// <param name="Folder">The pictures.</param>
internal sealed record SubjectPictures(TrainingSubject Subject, CaptionFiles Captions, PictureFolder Folder);
