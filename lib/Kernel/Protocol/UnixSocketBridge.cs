using System.Net;
using System.Net.Sockets;

namespace Dreambooth.Lab.Kernel.Protocol;

/// <summary>
/// Lets clients of ZeroMQ's <c>ipc</c> transport reach a socket of NetMQ, whose own <c>ipc</c> is no Unix socket: bytes of every
/// connection to the Unix socket are passed on to a loopback port unchanged.
/// </summary>
internal sealed class UnixSocketBridge : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _stop = new();
    private readonly string _path;
    private readonly int _port;

    /// <summary>Listens on <paramref name="path"/> and forwards to <paramref name="port"/> on loopback.</summary>
    public UnixSocketBridge(string path, int port)
    {
        (_path, _port) = (path, port);
        File.Delete(path);
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
        _ = Task.Run(AcceptAsync);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        File.Delete(_path);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var token = _stop.Token;
        while (!token.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptAsync(token).ConfigureAwait(false);
                _ = ForwardAsync(client, token);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private async Task ForwardAsync(Socket client, CancellationToken token)
    {
        using var left = new NetworkStream(client, ownsSocket: true);
        using var tcp = new TcpClient { NoDelay = true };
        try
        {
            await tcp.ConnectAsync(IPAddress.Loopback, _port, token).ConfigureAwait(false);
            var right = tcp.GetStream();
            await Task.WhenAny(left.CopyToAsync(right, token), right.CopyToAsync(left, token)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or IOException)
        {
            // A connection that breaks ends its forwarding; ZeroMQ connects again by itself.
        }
    }
}
