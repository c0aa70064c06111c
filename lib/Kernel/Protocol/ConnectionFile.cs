using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dreambooth.Lab.Kernel.Protocol;

/// <summary>
/// What a Jupyter client hands its kernel: addresses, key and signature scheme (Jupyter messaging 5.4, "connection files").
/// </summary>
/// <param name="Ip">The address to bind; a socket path prefix when <paramref name="Transport"/> is <c>ipc</c>.</param>
/// <param name="Transport"><c>tcp</c> or <c>ipc</c>.</param>
/// <param name="Key">The HMAC key as text; empty means that messages are not signed.</param>
/// <param name="SignatureScheme"><c>hmac-sha256</c>.</param>
/// <param name="ShellPort">Port of requests.</param>
/// <param name="ControlPort">Port of interrupts and shutdown.</param>
/// <param name="IopubPort">Port of published output.</param>
/// <param name="StdinPort">Port of input requests.</param>
/// <param name="HeartbeatPort">Port of the heartbeat.</param>
public sealed record ConnectionFile(
    string Ip, string Transport, string Key, string SignatureScheme,
    int ShellPort, int ControlPort, int IopubPort, int StdinPort, int HeartbeatPort)
{
    /// <summary>Reads a connection file.</summary>
    /// <param name="path">The file that the client wrote.</param>
    /// <returns>Its content, checked.</returns>
    /// <exception cref="KernelException">The file is missing, not JSON, or lacks a field.</exception>
    public static ConnectionFile Read(string path)
    {
        byte[] text;
        try
        {
            text = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KernelException($"The connection file '{path}' cannot be read: {e.Message}", e);
        }

        try
        {
            var start = text.AsSpan().StartsWith(System.Text.Encoding.UTF8.Preamble) ? 3 : 0;
            return FromJson(StrictJson.Parse(text.AsMemory(start)), path);
        }
        catch (JsonException e)
        {
            throw new KernelException($"The connection file '{path}' is not valid: {e.Message}", e);
        }
    }

    /// <summary>The address of a channel in ZeroMQ's notation.</summary>
    /// <param name="port">The channel's port.</param>
    /// <returns>For example <c>tcp://127.0.0.1:5555</c>.</returns>
    public string Address(int port) => Transport == "ipc" ? $"ipc://{Ip}-{port}" : $"tcp://{Ip}:{port}";

    /// <summary>Writes the file as a Jupyter client would, readable by its owner only.</summary>
    /// <param name="path">The file to write.</param>
    public void Write(string path)
    {
        var json = JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["ip"] = Ip,
            ["transport"] = Transport,
            ["key"] = Key,
            ["signature_scheme"] = SignatureScheme,
            ["shell_port"] = ShellPort,
            ["control_port"] = ControlPort,
            ["iopub_port"] = IopubPort,
            ["stdin_port"] = StdinPort,
            ["hb_port"] = HeartbeatPort,
        });
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var stream = new StreamWriter(path, options);
        stream.Write(json);
    }

    private static ConnectionFile FromJson(JsonNode? node, string path)
    {
        if (node is not JsonObject json)
            throw new KernelException($"The connection file '{path}' holds {StrictJson.Kind(node)}; an object is needed.");
        var scheme = Text(json, "signature_scheme", "hmac-sha256");
        if (scheme != "hmac-sha256")
            throw new KernelException(
                $"The connection file '{path}' asks for signature scheme '{StrictJson.Beginning(scheme)}'; only hmac-sha256 is supported.");
        var transport = Text(json, "transport", "tcp");
        if (transport is not ("tcp" or "ipc"))
            throw new KernelException(
                $"The connection file '{path}' asks for transport '{StrictJson.Beginning(transport)}'; tcp and ipc are supported.");
        return new ConnectionFile(
            Text(json, "ip", "127.0.0.1"), transport, Text(json, "key", ""), scheme,
            Port(json, "shell_port", path), Port(json, "control_port", path), Port(json, "iopub_port", path),
            Port(json, "stdin_port", path), Port(json, "hb_port", path));
    }

    private static string Text(JsonObject json, string name, string fallback) => StrictJson.Text(json, name, "the file") ?? fallback;

    private static int Port(JsonObject json, string name, string path)
    {
        if (json[name] is JsonValue value && value.GetValueKind() == JsonValueKind.Number
            && value.TryGetValue<int>(out var port) && port is >= 0 and <= 65535)
        {
            return port;
        }

        var found = json.ContainsKey(name) ? $"has '{name}' {StrictJson.Kind(json[name])}" : $"has no '{name}'";
        throw new KernelException($"The connection file '{path}' {found}; a port from 0 to 65535 is needed.");
    }
}
