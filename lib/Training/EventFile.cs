using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;

namespace Dreambooth.Lab.Training;

/// <summary>
/// An event file as TensorBoard reads it: records in TensorFlow's framing (length, its checksum, data, its checksum), each a protocol
/// buffer <c>Event</c>. A record is in the file as soon as it is added.
/// </summary>
/// <remarks>
/// Sources: tensorflow/core/lib/io/record_writer.h for the framing and the masked CRC-32C; event.proto, summary.proto, tensor.proto in
/// tensorboard/compat/proto and plugin_data.proto in tensorboard/plugins/hparams for the fields.
/// </remarks>
internal sealed class EventFile : IDisposable
{
    /// <summary>What the names of the files begin with; TensorBoard looks for "tfevents".</summary>
    public const string Prefix = "events.out.tfevents.";

    /// <summary>What the names end with, by which the lab knows its own.</summary>
    public const string Suffix = ".lab";

    private const int DataTypeFloat = 1, DataTypeString = 7, DataClassTensor = 2, Rgb = 3, SessionStart = 1;

    private readonly FileStream _stream;

    private EventFile(string path)
    {
        _stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        Write(0, new ProtoMessage().Add(3, "brain.Event:2"));
    }

    /// <summary>The lab's own event files of a folder, in the order in which they are read.</summary>
    /// <param name="folder">A folder; it need not be there.</param>
    public static IReadOnlyList<string> List(string folder) => !Directory.Exists(folder) ? []
        : [.. Directory.GetFiles(folder, $"{Prefix}*{Suffix}").Order(StringComparer.Ordinal)];

    /// <summary>Creates a file that is read after all others of its folder, whatever the clock says.</summary>
    /// <param name="folder">Created when missing.</param>
    public static EventFile Create(string folder)
    {
        Directory.CreateDirectory(folder);
        var last = List(folder).Select(SecondsOf).DefaultIfEmpty(-1).Max();
        var seconds = Math.Max(DateTimeOffset.UtcNow.ToUnixTimeSeconds(), last + 1);
        return new EventFile(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{seconds:D10}{Suffix}")));
    }

    /// <summary>Says that what earlier files hold of a step, and of later ones, is not so: readers drop it.</summary>
    /// <param name="step">The first step that is done again.</param>
    public void AddRestart(int step) => Write(step, new ProtoMessage().Add(7, new ProtoMessage().Add(1, SessionStart)));

    /// <summary>Adds numbers of a step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="values">By tag.</param>
    public void AddScalars(int step, IEnumerable<(string Tag, double Value)> values)
    {
        var summary = new ProtoMessage();
        foreach (var (tag, value) in values)
            summary.Add(1, new ProtoMessage().Add(1, tag).AddFloat(2, (float)value));
        Write(step, new ProtoMessage().Add(5, summary));
    }

    /// <summary>Adds a picture.</summary>
    /// <param name="step">The step.</param>
    /// <param name="tag">The tag.</param>
    /// <param name="size">Its width and height in pixels.</param>
    /// <param name="file">The bytes of its PNG file.</param>
    public void AddImage(int step, string tag, (int Width, int Height) size, ReadOnlySpan<byte> file) => Write(
        step,
        Value(tag, new ProtoMessage().Add(4, new ProtoMessage().Add(1, size.Height).Add(2, size.Width).Add(3, Rgb).Add(4, file))));

    /// <summary>Adds a text.</summary>
    /// <param name="step">The step.</param>
    /// <param name="tag">The tag.</param>
    /// <param name="markdown">The text, in Markdown.</param>
    public void AddText(int step, string tag, string markdown) => Write(
        step,
        Value(tag, new ProtoMessage().Add(9, Metadata("text", default)).Add(8, Tensor(DataTypeString).Add(8, markdown))));

    /// <summary>Adds the settings of the run, which TensorBoard compares between runs.</summary>
    /// <param name="values">By name: numbers, truth values, texts.</param>
    /// <param name="started">When the run started.</param>
    public void AddSettings(IEnumerable<(string Name, object Value)> values, DateTimeOffset started)
    {
        var start = new ProtoMessage();
        foreach (var (name, value) in values)
            start.Add(1, new ProtoMessage().Add(1, name).Add(2, Setting(value)));
        start.AddDouble(5, Seconds(started));
        AddSettings("_hparams_/session_start_info", new ProtoMessage().Add(3, start));
    }

    /// <summary>Says that the run is finished.</summary>
    public void AddEnd()
    {
        const int Success = 1;
        AddSettings(
            "_hparams_/session_end_info",
            new ProtoMessage().Add(4, new ProtoMessage().Add(1, Success).AddDouble(2, Seconds(DateTimeOffset.UtcNow))));
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    /// <summary>The checksum of a record's parts: CRC-32C, turned and moved.</summary>
    internal static uint MaskedCrc(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        for (; data.Length >= sizeof(ulong); data = data[sizeof(ulong)..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(data));
        foreach (var value in data)
            crc = BitOperations.Crc32C(crc, value);
        return unchecked(BitOperations.RotateRight(~crc, 15) + 0xa282ead8);
    }

    private void AddSettings(string tag, ProtoMessage data) => Write(
        0,
        Value(
            tag, new ProtoMessage().Add(9, Metadata("hparams", data.Bytes)).Add(8, Tensor(DataTypeFloat).Add(5, new byte[sizeof(float)]))));

    private static ProtoMessage Setting(object value) => value switch
    {
        bool flag => new ProtoMessage().Add(4, flag ? 1 : 0),
        string text => new ProtoMessage().Add(3, text),
        _ => new ProtoMessage().AddDouble(2, Convert.ToDouble(value, CultureInfo.InvariantCulture)),
    };

    private static ProtoMessage Metadata(string plugin, ReadOnlySpan<byte> content) =>
        new ProtoMessage().Add(1, new ProtoMessage().Add(1, plugin).Add(2, content)).Add(4, DataClassTensor);

    // One element: [1].
    private static ProtoMessage Tensor(int type) =>
        new ProtoMessage().Add(1, type).Add(2, new ProtoMessage().Add(2, new ProtoMessage().Add(1, 1)));

    // An event's field for a summary of one value.
    private static ProtoMessage Value(string tag, ProtoMessage content) =>
        new ProtoMessage().Add(5, new ProtoMessage().Add(1, new ProtoMessage().Add(1, tag).Join(content)));

    private void Write(int step, ProtoMessage what)
    {
        var data = new ProtoMessage().AddDouble(1, Seconds(DateTimeOffset.UtcNow)).Add(2, step).Join(what).Bytes;
        var record = new byte[sizeof(ulong) + sizeof(uint) + data.Length + sizeof(uint)];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(sizeof(ulong)), MaskedCrc(record.AsSpan(0, sizeof(ulong))));
        data.CopyTo(record.AsSpan(sizeof(ulong) + sizeof(uint)));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(record.Length - sizeof(uint)), MaskedCrc(data));
        _stream.Write(record);
        _stream.Flush();
    }

    private static double Seconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).TotalSeconds;

    private static long SecondsOf(string path) =>
        long.TryParse(
            Path.GetFileName(path)[Prefix.Length..^Suffix.Length], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? seconds : -1;
}
