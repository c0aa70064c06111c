using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Dreambooth.Lab.Foundation;

/// <summary>
/// The connection to another rank: frames of a kind, a number and bytes. A thread of its own reads, so that a peer's end is known at once,
/// whatever this process is doing.
/// </summary>
internal sealed class RankLink : IDisposable
{
    private const int HeaderBytes = 1 + sizeof(long) + sizeof(int), MostBytes = 1 << 30;
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    private readonly Socket _socket;
    private readonly Lock _writing = new();
    private readonly BlockingCollection<Frame> _frames = [];
    private readonly Thread _reader;
    private long _heard = Stopwatch.GetTimestamp();

    /// <summary>Takes over a connection; nothing is read before <see cref="Start"/>.</summary>
    /// <param name="socket">Connected, and past the handshake.</param>
    /// <param name="peer">Who is at its other end.</param>
    /// <param name="silence">How long one write may take.</param>
    public RankLink(Socket socket, RankHello peer, TimeSpan silence)
    {
        (_socket, Peer) = (socket, peer);
        socket.NoDelay = true;
        socket.ReceiveTimeout = 0;
        socket.SendTimeout = (int)silence.TotalMilliseconds;
        _reader = new Thread(Read) { IsBackground = true, Name = $"Rank {peer.Rank}" };
    }

    /// <summary>What frames carry.</summary>
    public enum Kind : byte
    {
        /// <summary>All ranks are here.</summary>
        Go,

        /// <summary>A sign of life; one byte: whether longer work is on.</summary>
        Beat,

        /// <summary>A message: the ranks cannot go on.</summary>
        Failure,

        /// <summary>The rank has ended as it should.</summary>
        Leave,

        /// <summary>A part of a collective operation; the number counts them.</summary>
        Data,
    }

    /// <summary>Who is at the other end.</summary>
    public RankHello Peer { get; }

    /// <summary>How long nothing has been heard of the peer.</summary>
    public TimeSpan Quiet => Stopwatch.GetElapsedTime(Volatile.Read(ref _heard));

    /// <summary>Whether the peer, or a rank behind it, does longer work that others wait for.</summary>
    public bool IsBusy { get; private set; }

    /// <summary>Whether the peer has left as it should.</summary>
    public bool HasLeft { get; private set; }

    /// <summary>Starts reading.</summary>
    /// <param name="onFailure">Told once of the peer's message that the ranks cannot go on, or with null of its connection's end.</param>
    public void Start(Action<RankLink, string?> onFailure)
    {
        OnFailure = onFailure;
        _reader.Start();
    }

    /// <summary>Forgets how long the peer was silent: this process itself was stopped.</summary>
    public void Forgive() => Volatile.Write(ref _heard, Stopwatch.GetTimestamp());

    /// <summary>Sends a frame.</summary>
    /// <exception cref="IOException">The connection has ended, or the peer does not read.</exception>
    public void Send(Kind kind, long number, ReadOnlySpan<byte> content)
    {
        lock (_writing)
            Write(kind, number, content);
    }

    /// <summary>Sends a short frame where that does not wait; a frame that is being sent says as much.</summary>
    /// <returns>Whether it was sent.</returns>
    public bool TrySend(Kind kind, ReadOnlySpan<byte> content, int milliseconds = 0)
    {
        if (!_writing.TryEnter(milliseconds))
            return false;
        try
        {
            if (!_socket.Poll(milliseconds * 1000, SelectMode.SelectWrite))
                return false;
            Write(kind, 0, content);
            return true;
        }
        catch (Exception error) when (error is SocketException or IOException or ObjectDisposedException)
        {
            return false; // The reader finds out.
        }
        finally
        {
            _writing.Exit();
        }
    }

    /// <summary>Waits for the next frame that is no sign of life.</summary>
    /// <returns>Null after <paramref name="milliseconds"/>, or where none can come.</returns>
    public Frame? Take(int milliseconds, CancellationToken cancellation) =>
        _frames.TryTake(out var frame, milliseconds, cancellation) ? frame : null;

    /// <summary>Says that nothing more comes; the peer's last words are still read.</summary>
    public void Finish()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // It has ended already.
        }
    }

    /// <summary>Ends the connection, after the peer has for a short while.</summary>
    public void Dispose()
    {
        Finish();
        if (_reader.IsAlive && Thread.CurrentThread != _reader)
            _reader.Join(Farewell);
        _socket.Dispose();
    }

    private Action<RankLink, string?>? OnFailure { get; set; }

    private void Write(Kind kind, long number, ReadOnlySpan<byte> content)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        header[0] = (byte)kind;
        BinaryPrimitives.WriteInt64LittleEndian(header[1..], number);
        BinaryPrimitives.WriteInt32LittleEndian(header[(1 + sizeof(long))..], content.Length);
        Write(header);
        Write(content);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            while (bytes.Length > 0)
                bytes = bytes[_socket.Send(bytes)..];
        }
        catch (SocketException error)
        {
            throw new IOException(error.Message, error);
        }
    }

    private void Read()
    {
        var header = new byte[HeaderBytes];
        string? failure = null;
        try
        {
            while (Fill(header))
            {
                var kind = (Kind)header[0];
                var length = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(1 + sizeof(long)));
                if (length is < 0 or > MostBytes)
                    break;
                var content = new byte[length];
                if (!Fill(content))
                    break;
                if (kind == Kind.Failure)
                {
                    failure = Encoding.UTF8.GetString(content);
                    break;
                }

                if (kind == Kind.Beat)
                    IsBusy = content is [1];
                else if (kind == Kind.Leave)
                    HasLeft = true;
                else
                    _frames.Add(new Frame(kind, BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(1)), content));
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The connection has ended.
        }

        if (!HasLeft)
            OnFailure?.Invoke(this, failure);
    }

    private bool Fill(Span<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var count = _socket.Receive(bytes);
            if (count == 0)
                return false;
            Volatile.Write(ref _heard, Stopwatch.GetTimestamp());
            bytes = bytes[count..];
        }

        return true;
    }

    /// <summary>What came.</summary>
    internal sealed record Frame(Kind Kind, long Number, byte[] Content);
}
