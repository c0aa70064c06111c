using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Cli;

/// <summary>The command line or a recipe is wrong: nothing was begun, and the exit code is <see cref="ExitCode.Usage"/>.</summary>
internal sealed class UsageException(string message) : LabException(message);
