using System.Globalization;
using System.Net.Sockets;
using NetMQ;
using NetMQ.Sockets;

namespace Dreambooth.Lab.Kernel.Protocol;

/// <summary>
/// The five sockets of a kernel on one IO thread. The thread only moves frames and runs <see cref="Received"/>, which must not
/// block; sending is allowed from every thread and keeps its order.
/// </summary>
public sealed class KernelSockets : IDisposable
{
    /// <summary>What the error says when an address is taken.</summary>
    internal const string CannotBeBound = "cannot be bound";

    private readonly RouterSocket _shell = new();
    private readonly RouterSocket _control = new();
    private readonly RouterSocket _stdin = new();
    private readonly PublisherSocket _iopub = new();
    private readonly RouterSocket _heartbeat = new();
    private readonly NetMQQueue<(Channel Channel, List<byte[]> Frames)> _outgoing = new();
    private readonly List<UnixSocketBridge> _bridges = [];
    private readonly NetMQPoller _poller;

    /// <summary>Binds the sockets; <see cref="Start"/> begins to serve them.</summary>
    /// <param name="connection">The addresses.</param>
    /// <exception cref="KernelException">An address cannot be bound.</exception>
    public KernelSockets(ConnectionFile connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        foreach (var socket in new NetMQSocket[] { _shell, _control, _stdin, _iopub, _heartbeat })
        {
            socket.Options.Linger = TimeSpan.FromSeconds(1);
            // Unlimited queues: output must not be dropped; its size is bounded per cell instead.
            socket.Options.SendHighWatermark = 0;
            socket.Options.ReceiveHighWatermark = 0;
        }

        Bind(_shell, connection, connection.ShellPort);
        Bind(_control, connection, connection.ControlPort);
        Bind(_stdin, connection, connection.StdinPort);
        Bind(_iopub, connection, connection.IopubPort);
        Bind(_heartbeat, connection, connection.HeartbeatPort);
        _shell.ReceiveReady += (_, e) => Receive(e.Socket, Channel.Shell);
        _control.ReceiveReady += (_, e) => Receive(e.Socket, Channel.Control);
        _stdin.ReceiveReady += (_, e) => Receive(e.Socket, Channel.Stdin);
        _heartbeat.ReceiveReady += (_, e) => Echo(e.Socket);
        _outgoing.ReceiveReady += (_, _) => SendQueued();
        _poller = [_control, _shell, _stdin, _heartbeat, _outgoing];
    }

    /// <summary>
    /// Has bytes that arrive taken by the sockets' own threads instead of the thread pool, in this whole process. To be called before the
    /// first socket is made. Without it a cell that fills the pool (<c>Parallel.For</c>, a hundred busy tasks) keeps an interrupt waiting
    /// for seconds: NetMQ reads by asynchronous calls, whose completions .NET otherwise queues behind the cell's own work.
    /// </summary>
    internal static void KeepOffTheThreadPool()
    {
        // Several threads, so that code of a cell that blocks in the completion of a socket of its own does not stop the kernel's.
        var settings = new Dictionary<string, string>
        {
            ["DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"] = "1",
            ["DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT"] = Math.Max(8, Environment.ProcessorCount).ToString(CultureInfo.InvariantCulture),
        };
        var before = settings.Keys.ToDictionary(name => name, Environment.GetEnvironmentVariable);
        foreach (var (name, value) in settings)
            Environment.SetEnvironmentVariable(name, value);
        // .NET reads them when the first socket is made; programs that cells start must not inherit them.
        using (new Socket(SocketType.Stream, ProtocolType.Tcp))
        {
        }

        foreach (var (name, value) in before)
            Environment.SetEnvironmentVariable(name, value);
    }

    /// <summary>Called on the IO thread with the frames of every message on shell, control and stdin.</summary>
    public Action<Channel, IReadOnlyList<byte[]>>? Received { get; set; }

    /// <summary>Starts the IO thread.</summary>
    public void Start() => _poller.RunAsync("kernel-io", isBackgroundThread: false);

    /// <summary>Queues a message; returns at once.</summary>
    /// <param name="channel">The channel to send on.</param>
    /// <param name="frames">The message's frames.</param>
    public void Send(Channel channel, List<byte[]> frames) => _outgoing.Enqueue((channel, frames));

    /// <summary>Sends what is queued, stops the IO thread and closes the sockets.</summary>
    public void Dispose()
    {
        if (_poller.IsRunning)
        {
            // Frames queued before this call are on the sockets once the queue reads empty.
            SpinWait.SpinUntil(() => _outgoing.Count == 0, TimeSpan.FromSeconds(1));
            _poller.Stop();
        }

        _poller.Dispose();
        foreach (var socket in new NetMQSocket[] { _shell, _control, _stdin, _iopub, _heartbeat })
            socket.Dispose();
        foreach (var bridge in _bridges)
            bridge.Dispose();
        _outgoing.Dispose();
    }

    private void Bind(NetMQSocket socket, ConnectionFile connection, int port)
    {
        var address = connection.Address(port);
        try
        {
            if (connection.Transport == "ipc")
                _bridges.Add(new UnixSocketBridge($"{connection.Ip}-{port}", socket.BindRandomPort("tcp://127.0.0.1")));
            else
                socket.Bind(address);
        }
        catch (Exception e) when (e is NetMQException or SocketException or IOException or ArgumentException or FormatException
            or NotSupportedException or UnauthorizedAccessException)
        {
            throw new KernelException($"The address {address} {CannotBeBound}: {e.Message}", e);
        }
    }

    private void Receive(NetMQSocket socket, Channel channel)
    {
        // A bounded batch, so that a flood on one socket does not starve the others.
        var message = new NetMQMessage();
        for (var i = 0; i < 100 && socket.TryReceiveMultipartMessage(ref message); i++)
            Received?.Invoke(channel, [.. message.Select(f => f.ToByteArray())]);
    }

    private static void Echo(NetMQSocket socket)
    {
        var message = new NetMQMessage();
        while (socket.TryReceiveMultipartMessage(ref message))
            socket.TrySendMultipartMessage(message);
    }

    private void SendQueued()
    {
        for (var i = 0; i < 1000 && _outgoing.TryDequeue(out var item, TimeSpan.Zero); i++)
        {
            var socket = item.Channel switch
            {
                Channel.Shell => (NetMQSocket)_shell,
                Channel.Control => _control,
                Channel.Stdin => _stdin,
                _ => _iopub,
            };
            socket.TrySendMultipartBytes(item.Frames);
        }
    }
}
