namespace Dreambooth.Lab.Kernel.Installation;

/// <summary>A kernel as Jupyter clients find it.</summary>
/// <param name="Name">The folder's name, which notebooks refer to.</param>
/// <param name="DisplayName">The name that clients show.</param>
/// <param name="Folder">The folder that holds <c>kernel.json</c>.</param>
/// <param name="Arguments">The command line that starts it.</param>
public sealed record KernelSpec(string Name, string DisplayName, string Folder, IReadOnlyList<string> Arguments)
{
    /// <summary>What is wrong with it, or null: a program that was moved or deleted since.</summary>
    public string? Problem =>
        Arguments.FirstOrDefault(a => Path.IsPathRooted(a) && !File.Exists(a)) is { } missing
            ? $"'{missing}' is missing; run `kernel install` again from where the program is now"
            : null;
}
