namespace Dreambooth.Lab.Foundation;

/// <summary>
/// A command line, a recipe or an option's value is wrong, be it beside the files that it names: nothing was begun, and the program's exit
/// code is 2.
/// </summary>
internal sealed class UsageException(string message) : LabException(message);
