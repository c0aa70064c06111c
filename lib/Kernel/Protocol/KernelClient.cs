using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using NetMQ;
using NetMQ.Sockets;

namespace Dreambooth.Lab.Kernel.Protocol;

/// <summary>A Jupyter client: sends requests to a kernel and receives what it answers and publishes.</summary>
public sealed class KernelClient : IDisposable
{
    private readonly MessageCodec _codec;
    private readonly string _session = Guid.NewGuid().ToString("N");
    private readonly DealerSocket _shell = new();
    private readonly DealerSocket _control = new();
    private readonly DealerSocket _stdin = new();
    private readonly SubscriberSocket _iopub = new();
    private readonly NetMQQueue<(NetMQSocket Socket, List<byte[]> Frames)> _outgoing = new();
    private readonly BlockingCollection<(Channel Channel, JupyterMessage Message)> _received = [];
    private readonly NetMQPoller _poller;

    /// <summary>Connects; the kernel may start later.</summary>
    /// <param name="connection">The kernel's addresses.</param>
    public KernelClient(ConnectionFile connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        _codec = new MessageCodec(connection.Key);
        var identity = Guid.NewGuid().ToByteArray();
        foreach (var (socket, port) in new (NetMQSocket, int)[]
            { (_shell, connection.ShellPort), (_control, connection.ControlPort), (_stdin, connection.StdinPort),
                (_iopub, connection.IopubPort) })
        {
            // Input requests reach the client whose shell identity they carry, so all sockets share one.
            socket.Options.Identity = identity;
            socket.Options.Linger = TimeSpan.Zero;
            socket.Options.ReceiveHighWatermark = 0;
            socket.Options.ReconnectInterval = TimeSpan.FromMilliseconds(20);
            socket.Connect(connection.Address(port));
        }

        _iopub.SubscribeToAnyTopic();
        _shell.ReceiveReady += (_, e) => Receive(e.Socket, Channel.Shell);
        _control.ReceiveReady += (_, e) => Receive(e.Socket, Channel.Control);
        _stdin.ReceiveReady += (_, e) => Receive(e.Socket, Channel.Stdin);
        _iopub.ReceiveReady += (_, e) => Receive(e.Socket, Channel.Iopub);
        _outgoing.ReceiveReady += (_, e) =>
        {
            while (e.Queue.TryDequeue(out var item, TimeSpan.Zero))
                item.Socket.TrySendMultipartBytes(item.Frames);
        };
        _poller = [_shell, _control, _stdin, _iopub, _outgoing];
        _poller.RunAsync("kernel-client", isBackgroundThread: true);
    }

    /// <summary>Sends a request.</summary>
    /// <param name="channel">Shell, control or stdin.</param>
    /// <param name="type">The message type.</param>
    /// <param name="content">The content.</param>
    /// <param name="metadata">Metadata, or null.</param>
    /// <returns>The request's id, by which answers are told apart.</returns>
    public string Send(Channel channel, string type, JsonObject content, JsonObject? metadata = null)
    {
        var message = JupyterMessage.Create(type, content, null, _session, metadata);
        SendFrames(channel, _codec.Encode(message));
        return message.Id;
    }

    /// <summary>Sends a cell to run.</summary>
    /// <param name="code">The cell's text.</param>
    /// <param name="cellId">The cell's id, by which the kernel knows that it runs again; or null.</param>
    /// <param name="allowStdin">Whether the cell may ask for input.</param>
    /// <returns>The request's id.</returns>
    public string Execute(string code, string? cellId = null, bool allowStdin = false) => Send(
        Channel.Shell,
        "execute_request",
        new JsonObject
        {
            ["code"] = code,
            ["silent"] = false,
            ["store_history"] = true,
            ["user_expressions"] = new JsonObject(),
            ["allow_stdin"] = allowStdin,
            ["stop_on_error"] = true,
        },
        cellId is null ? null : new JsonObject { ["cellId"] = cellId });

    /// <summary>Takes the next message.</summary>
    /// <param name="timeout">How long to wait for one.</param>
    /// <param name="channel">The channel it came on.</param>
    /// <param name="message">The message.</param>
    /// <returns>False when none came in time.</returns>
    public bool TryReceive(TimeSpan timeout, out Channel channel, out JupyterMessage message)
    {
        var found = _received.TryTake(out var item, timeout);
        (channel, message) = item;
        return found;
    }

    /// <summary>Sends a message as it is, for tests of how a kernel treats bad ones.</summary>
    internal void Send(Channel channel, JupyterMessage message) => SendFrames(channel, _codec.Encode(message));

    /// <summary>Sends frames as they are, for tests of how a kernel treats bad ones.</summary>
    internal void SendFrames(Channel channel, List<byte[]> frames) => _outgoing.Enqueue((SocketOf(channel), frames));

    /// <inheritdoc/>
    public void Dispose()
    {
        _poller.Dispose();
        foreach (var socket in new NetMQSocket[] { _shell, _control, _stdin, _iopub })
            socket.Dispose();
        _outgoing.Dispose();
        _received.Dispose();
    }

    private DealerSocket SocketOf(Channel channel) => channel switch
    {
        Channel.Shell => _shell,
        Channel.Control => _control,
        Channel.Stdin => _stdin,
        _ => throw new ArgumentOutOfRangeException(nameof(channel), channel, "Clients do not send on iopub."),
    };

    private void Receive(NetMQSocket socket, Channel channel)
    {
        var frames = new NetMQMessage();
        while (socket.TryReceiveMultipartMessage(ref frames))
        {
            if (_codec.Decode([.. frames.Select(f => f.ToByteArray())]) is { } message)
                _received.Add((channel, message));
        }
    }
}
