using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dreambooth.Lab.Kernel.Protocol;

/// <summary>A message that passed its checks, as received or as it will be sent.</summary>
/// <param name="Identities">ZeroMQ routing frames, or the topic on iopub.</param>
/// <param name="Header">The header's JSON as it was on the wire.</param>
/// <param name="ParentHeader">The header of the message that this one answers, as it was on the wire; <c>{}</c> when there is none.</param>
/// <param name="Metadata">Metadata, never null.</param>
/// <param name="Content">The content, whose fields depend on the type.</param>
/// <param name="Buffers">Binary frames after the content; usually none.</param>
public sealed record JupyterMessage(
    IReadOnlyList<byte[]> Identities, byte[] Header, byte[] ParentHeader, JsonObject Metadata, JsonObject Content,
    IReadOnlyList<byte[]> Buffers)
{
    /// <summary>The protocol's version that the kernel speaks.</summary>
    public const string ProtocolVersion = "5.4";

    private static readonly byte[] s_noParent = "{}"u8.ToArray();

    /// <summary>The message's type, for example <c>execute_request</c>.</summary>
    public string Type { get; init; } = "";

    /// <summary>The message's unique id.</summary>
    public string Id { get; init; } = "";

    /// <summary>The sender's session id.</summary>
    public string Session { get; init; } = "";

    /// <summary>The id of the message that this one answers; empty when it answers none.</summary>
    public string ParentId => JsonNode.Parse(ParentHeader)?["msg_id"]?.ToString() ?? "";

    /// <summary>Makes a new message.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="content">Its content.</param>
    /// <param name="parent">The message that it answers, or null.</param>
    /// <param name="session">The sender's session id.</param>
    /// <param name="metadata">Metadata, or null for none.</param>
    /// <param name="identities">Routing frames; default: those of <paramref name="parent"/>.</param>
    /// <returns>The message with a fresh id and the current time.</returns>
    public static JupyterMessage Create(
        string type, JsonObject content, JupyterMessage? parent, string session, JsonObject? metadata = null,
        IReadOnlyList<byte[]>? identities = null)
    {
        var id = Guid.NewGuid().ToString("N");
        var header = JsonSerializer.SerializeToUtf8Bytes(new JsonObject
        {
            ["msg_id"] = id,
            ["session"] = session,
            ["username"] = "kernel",
            ["date"] = DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", System.Globalization.CultureInfo.InvariantCulture),
            ["msg_type"] = type,
            ["version"] = ProtocolVersion,
        });
        return new JupyterMessage(identities ?? parent?.Identities ?? [], header, parent?.Header ?? s_noParent, metadata ?? [], content, [])
        {
            Type = type,
            Id = id,
            Session = session,
        };
    }

    /// <summary>A text field of the content.</summary>
    /// <param name="name">The field.</param>
    /// <param name="fallback">What is returned when the field is missing or no text.</param>
    /// <returns>The text.</returns>
    public string Text(string name, string fallback = "") =>
        Content.TryGetPropertyValue(name, out var node) && node is JsonValue value && value.TryGetValue<string>(out var text)
            ? text
            : fallback;

    /// <summary>A truth value of the content.</summary>
    /// <param name="name">The field.</param>
    /// <param name="fallback">What is returned when the field is missing or no truth value.</param>
    /// <returns>The value.</returns>
    public bool Flag(string name, bool fallback) =>
        Content.TryGetPropertyValue(name, out var node) && node is JsonValue value && value.TryGetValue<bool>(out var flag)
            ? flag
            : fallback;

    /// <summary>A whole number of the content.</summary>
    /// <param name="name">The field.</param>
    /// <param name="fallback">What is returned when the field is missing or no whole number.</param>
    /// <returns>The number.</returns>
    public int Number(string name, int fallback) =>
        Content.TryGetPropertyValue(name, out var node) && node is JsonValue value && value.TryGetValue<int>(out var number)
            ? number
            : fallback;
}
