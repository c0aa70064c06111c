namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>What both judges say of one stage of a training, each the mean over the same pictures.</summary>
/// <param name="Step">Steps done; 0 for the model as it is.</param>
/// <param name="Dino">Fidelity by the encoder in DINO's place.</param>
/// <param name="ClipImage">Fidelity by CLIP.</param>
/// <param name="ClipText">CLIP's cosine of picture and prompt.</param>
/// <param name="Classifier">Fidelity by the classifier's features.</param>
/// <param name="Adherence">The classifier's adherence.</param>
internal sealed record CheckpointScores(
    int Step, double Dino, double ClipImage, double ClipText, double Classifier, double Adherence);
