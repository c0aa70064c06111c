namespace Dreambooth.Lab.Foundation;

/// <summary>
/// A command line, a recipe or an option's value is wrong, by itself or together with the files that it names: nothing was started, and the
/// program's exit code is 2.
/// </summary>
internal sealed class UsageException(string message) : LabException(message);
