namespace Microsoft.DotNet.Interactive;

/// <summary>Text that the user typed and that must not be shown by accident.</summary>
/// <param name="password">The text.</param>
public sealed class PasswordString(string password)
{
    private readonly string _password = password;

    /// <summary>The text itself.</summary>
    /// <returns>What the user typed.</returns>
    public string GetClearTextPassword() => _password;

    /// <inheritdoc/>
    public override string ToString() => new('•', Math.Min(_password.Length, 8));
}
