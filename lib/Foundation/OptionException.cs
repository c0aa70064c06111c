namespace Dreambooth.Lab.Foundation;

/// <summary>
/// An option's value is wrong, which shows only beside the files that it names; the command line answers as to any wrong option.
/// </summary>
internal sealed class OptionException(string message) : LabException(message);
