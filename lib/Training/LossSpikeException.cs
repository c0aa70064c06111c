using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <summary>The loss of a training has exploded, and it was to stop for that.</summary>
/// <param name="message">When, by how much, and where to go on from.</param>
internal sealed class LossSpikeException(string message) : LabException(message);
