namespace Dreambooth.Lab.Display;

/// <summary>A command to copy; its lines are kept, and long ones break where there is no room.</summary>
/// <param name="Command">The command.</param>
internal sealed record CommandText(string Command) : HtmlView
{
    /// <summary>The command.</summary>
    public override string ToText() => Command;

    /// <inheritdoc/>
    internal override void Write(HtmlWriter writer) => writer.Element("pre", Command, ("class", "lab-command"));
}
