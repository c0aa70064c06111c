using Dreambooth.Lab.Kernel;
using Dreambooth.Lab.Kernel.Streams;
using Microsoft.AspNetCore.Html;
using Microsoft.DotNet.Interactive.Formatting;

namespace Microsoft.DotNet.Interactive;

/// <summary>What every cell can call without a prefix; named as in .NET Interactive, so that its C# notebooks run unchanged.</summary>
public static class Kernel
{
    /// <summary>Shows a value in the cell's output.</summary>
    /// <param name="value">Any value.</param>
    /// <param name="mimeTypes">The MIME types to show it in; none means those preferred for its type.</param>
    /// <returns>The display, which can be updated.</returns>
    public static DisplayedValue display(object? value, params string[] mimeTypes) => DisplayedValue.Show(value, mimeTypes);

    /// <summary>Marks text as HTML, to be returned from a cell or shown.</summary>
    /// <param name="content">HTML.</param>
    /// <returns>The content.</returns>
    public static IHtmlContent HTML(string content) => new HtmlString(content);

    /// <summary>Runs a script in the page that shows the notebook.</summary>
    /// <param name="scriptContent">JavaScript.</param>
    public static void Javascript(string scriptContent)
    {
        var element = $"<script type=\"text/javascript\">{scriptContent}</script>";
        DisplayedValue.Show(new HtmlString(element), [HtmlFormatter.MimeType]);
    }

    /// <summary>Adds a style sheet to the page that shows the notebook.</summary>
    /// <param name="content">CSS.</param>
    public static void CSS(string content) =>
        DisplayedValue.Show(new HtmlString($"<style>{content}</style>"), [HtmlFormatter.MimeType]);

    /// <summary>Asks the user for a line of text.</summary>
    /// <param name="prompt">What is asked for.</param>
    /// <returns>The line.</returns>
    /// <exception cref="KernelException">The client does not take input requests.</exception>
    public static Task<string> GetInputAsync(string prompt = "") => Ask(prompt, password: false);

    /// <summary>Asks the user for a line of text that is not shown.</summary>
    /// <param name="prompt">What is asked for.</param>
    /// <returns>The password, which does not show itself when displayed.</returns>
    /// <exception cref="KernelException">The client does not take input requests.</exception>
    public static async Task<PasswordString> GetPasswordAsync(string prompt = "") => new(await Ask(prompt, password: true));

    private static Task<string> Ask(string prompt, bool password) =>
        Task.FromResult((CellConsole.Current ?? throw new KernelException("Input can be asked for in a cell only.")).ReadLine(prompt, password));
}
