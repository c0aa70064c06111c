using System.Text.Json;

namespace Dreambooth.Lab.Kernel.Protocol;

/// <summary>What a Jupyter client hands its kernel: addresses, key and signature scheme (Jupyter messaging 5.4, "connection files").</summary>
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
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KernelException($"The connection file '{path}' cannot be read: {e.Message}", e);
        }

        try
        {
            using var json = JsonDocument.Parse(text);
            return FromJson(json.RootElement, path);
        }
        catch (JsonException e)
        {
            throw new KernelException($"The connection file '{path}' is not valid JSON: {e.Message}", e);
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

    private static ConnectionFile FromJson(JsonElement json, string path)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new KernelException($"The connection file '{path}' holds a JSON {json.ValueKind}; an object is needed.");
        var scheme = Text(json, "signature_scheme", "hmac-sha256");
        if (scheme != "hmac-sha256")
            throw new KernelException($"The connection file '{path}' asks for signature scheme '{scheme}'; only hmac-sha256 is supported.");
        var transport = Text(json, "transport", "tcp");
        if (transport is not ("tcp" or "ipc"))
            throw new KernelException($"The connection file '{path}' asks for transport '{transport}'; tcp and ipc are supported.");
        return new ConnectionFile(
            Text(json, "ip", "127.0.0.1"), transport, Text(json, "key", ""), scheme,
            Port(json, "shell_port", path), Port(json, "control_port", path), Port(json, "iopub_port", path),
            Port(json, "stdin_port", path), Port(json, "hb_port", path));
    }

    private static string Text(JsonElement json, string name, string fallback) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : fallback;

    private static int Port(JsonElement json, string name, string path) =>
        json.TryGetProperty(name, out var value) && value.TryGetInt32(out var port) && port is >= 0 and <= 65535
            ? port
            : throw new KernelException($"The connection file '{path}' has no valid '{name}' (a port from 0 to 65535).");
}
