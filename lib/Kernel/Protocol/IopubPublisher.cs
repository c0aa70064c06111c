using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Dreambooth.Lab.Kernel.Protocol;

/// <summary>
/// Publishes on iopub in order. Stream text is gathered and sent every 60 ms, or earlier when another message of any kind
/// follows, so that what a client shows is in the order in which the cell produced it. Safe to use from every thread.
/// </summary>
internal sealed class IopubPublisher : IDisposable
{
    private const int FlushMilliseconds = 60;
    private const int FlushCharacters = 1 << 18;
    private readonly Lock _lock = new();
    private readonly Action<JupyterMessage> _send;
    private readonly string _session;
    private readonly int _maxCharacters;
    private readonly AutoResetEvent _hasText = new(false);
    private volatile bool _disposed;
    private readonly StringBuilder _pending = new();
    private JupyterMessage? _pendingParent;
    private string _pendingName = "";
    private JupyterMessage? _countedParent;
    private long _countedCharacters;

    /// <summary>Creates the publisher.</summary>
    /// <param name="send">Queues a message for iopub; must not block.</param>
    /// <param name="session">The kernel's session id.</param>
    /// <param name="maxCharacters">Stream characters allowed per cell.</param>
    public IopubPublisher(Action<JupyterMessage> send, string session, int maxCharacters)
    {
        (_send, _session, _maxCharacters) = (send, session, maxCharacters);
        // A thread and not a timer, whose callbacks wait for the thread pool: a cell may have filled it.
        new Thread(FlushWhenDue) { IsBackground = true, Name = "iopub" }.Start();
    }

    /// <summary>Adds text to a stream of a cell.</summary>
    /// <param name="parent">The request that the text belongs to.</param>
    /// <param name="name"><c>stdout</c> or <c>stderr</c>.</param>
    /// <param name="text">The text.</param>
    public void Stream(JupyterMessage parent, string name, string text)
    {
        if (text.Length == 0)
            return;
        lock (_lock)
        {
            text = Limit(parent, text);
            if (text.Length == 0)
                return;
            if (_pending.Length > 0 && (_pendingParent != parent || _pendingName != name))
                FlushLocked();
            if (_pending.Length == 0)
                _hasText.Set();
            (_pendingParent, _pendingName) = (parent, name);
            _pending.Append(text);
            if (_pending.Length >= FlushCharacters)
                FlushLocked();
        }
    }

    /// <summary>Publishes a message after everything that came before it.</summary>
    /// <param name="parent">The request that it belongs to, or null.</param>
    /// <param name="type">The message type, which is also the topic.</param>
    /// <param name="content">The content.</param>
    /// <param name="metadata">Metadata, or null.</param>
    public void Publish(JupyterMessage? parent, string type, JsonObject content, JsonObject? metadata = null)
    {
        var message = JupyterMessage.Create(
            type, content, parent, _session, metadata, [Encoding.ASCII.GetBytes($"kernel.{_session}.{type}")]);
        lock (_lock)
        {
            FlushLocked();
            _send(message);
        }
    }

    /// <summary>Publishes the kernel's state with regard to a request.</summary>
    /// <param name="parent">The request.</param>
    /// <param name="state"><c>busy</c>, <c>idle</c> or <c>starting</c>.</param>
    public void Status(JupyterMessage? parent, string state) => Publish(parent, "status", new JsonObject { ["execution_state"] = state });

    /// <summary>Sends gathered text now.</summary>
    public void Flush()
    {
        lock (_lock)
            FlushLocked();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _hasText.Set();
        Flush();
    }

    private void FlushWhenDue()
    {
        while (_hasText.WaitOne() && !_disposed)
        {
            Thread.Sleep(FlushMilliseconds);
            Flush();
        }
    }

    private void FlushLocked()
    {
        if (_pending.Length == 0)
            return;
        var content = new JsonObject { ["name"] = _pendingName, ["text"] = _pending.ToString() };
        _pending.Clear();
        _send(
            JupyterMessage.Create(
                "stream", content, _pendingParent, _session, null, [Encoding.ASCII.GetBytes($"kernel.{_session}.stream")]));
    }

    private string Limit(JupyterMessage parent, string text)
    {
        if (_countedParent != parent)
            (_countedParent, _countedCharacters) = (parent, 0);
        var before = _countedCharacters;
        _countedCharacters += text.Length;
        if (_countedCharacters <= _maxCharacters)
            return text;
        if (before > _maxCharacters)
            return "";
        var note = string.Create(
            CultureInfo.InvariantCulture,
            $"\n[output of this cell truncated after {_maxCharacters:N0} characters; raise the limit with `kernel start --max-output`]\n");
        return text[..(int)(_maxCharacters - before)] + note;
    }
}
