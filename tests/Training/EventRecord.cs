using System.Buffers.Binary;
using System.Text;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>A value of an event file, read without the library: framing, checksums bit by bit, and the wire format.</summary>
internal sealed record EventRecord
{
    public long Step { get; init; }

    public string? FileVersion { get; init; }

    /// <summary>Whether it says that the run begins again at the step.</summary>
    public bool IsRestart { get; init; }

    public string? Tag { get; init; }

    public float? Scalar { get; init; }

    public byte[]? Image { get; init; }

    public (long Width, long Height) Size { get; init; }

    public string? Plugin { get; init; }

    public string? Text { get; init; }

    /// <summary>Settings of the hparams plugin by name.</summary>
    public IReadOnlyDictionary<string, object> Settings { get; init; } = new Dictionary<string, object>();

    /// <summary>All values of a file; one without values is one entry.</summary>
    public static List<EventRecord> Read(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        var bytes = copy.ToArray();
        var events = new List<EventRecord>();
        for (var at = 0; at < bytes.Length;)
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at));
            Assert.Equal(Masked(bytes.AsSpan(at, 8)), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 8)));
            var data = bytes.AsSpan(at + 12, length).ToArray();
            Assert.Equal(Masked(data), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 12 + length)));
            events.AddRange(EventOf(data));
            at += 16 + length;
        }

        return events;
    }

    /// <summary>CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected), bit by bit, then masked.</summary>
    public static uint Masked(ReadOnlySpan<byte> data)
    {
        var crc = Crc32C(data);
        return unchecked(((crc >> 15) | (crc << 17)) + 0xa282ead8u);
    }

    public static uint Crc32C(ReadOnlySpan<byte> data)
    {
        var crc = 0xFFFFFFFFu;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78u : crc >> 1;
        }

        return crc ^ 0xFFFFFFFFu;
    }

    private static IEnumerable<EventRecord> EventOf(byte[] data)
    {
        var fields = Fields(data);
        var time = BitConverter.Int64BitsToDouble(BitConverter.ToInt64((byte[])fields.Single(field => field.Number == 1).Value));
        Assert.InRange(time, DateTimeOffset.UtcNow.AddDays(-1).ToUnixTimeSeconds(), DateTimeOffset.UtcNow.AddDays(1).ToUnixTimeSeconds());
        var record = new EventRecord
        {
            Step = (long)(ulong)(fields.FirstOrDefault(field => field.Number == 2).Value ?? 0UL),
            FileVersion = Of(fields, 3) is { } version ? Encoding.UTF8.GetString(version) : null,
            IsRestart = Of(fields, 7) is { } session && Fields(session) is [(1, 1UL)],
        };
        return Of(fields, 5) is not { } summary ? [record]
            : Fields(summary).Where(field => field.Number == 1).Select(field => ValueOf(record, Fields((byte[])field.Value)));
    }

    private static EventRecord ValueOf(EventRecord record, List<(int Number, object Value)> fields)
    {
        record = record with { Tag = Encoding.UTF8.GetString(Of(fields, 1)!) };
        if (Of(fields, 2) is { } scalar)
            record = record with { Scalar = BitConverter.ToSingle(scalar) };
        if (Of(fields, 4) is { } picture)
        {
            var image = Fields(picture);
            long Number(int field) => (long)(ulong)image.Single(entry => entry.Number == field).Value;
            Assert.Equal(3, Number(3)); // RGB
            record = record with { Image = Of(image, 4), Size = (Number(2), Number(1)) };
        }

        if (Of(fields, 9) is not { } metadata)
            return record;
        var plugin = Fields(Of(Fields(metadata), 1)!);
        record = record with { Plugin = Encoding.UTF8.GetString(Of(plugin, 1)!) };
        var tensor = Fields(Of(fields, 8)!);
        return record.Plugin == "text"
            ? record with { Text = Encoding.UTF8.GetString(Of(tensor, 8)!) }
            : record with { Settings = SettingsOf(Of(plugin, 2)!) };
    }

    private static Dictionary<string, object> SettingsOf(byte[] data) => Of(Fields(data), 3) is not { } start ? []
        : Fields(start).Where(field => field.Number == 1).Select(field => Fields((byte[])field.Value)).ToDictionary(
            entry => Encoding.UTF8.GetString(Of(entry, 1)!),
            entry => Fields(Of(entry, 2)!).Single() switch
            {
                (2, byte[] number) => BitConverter.ToDouble(number),
                (3, byte[] text) => Encoding.UTF8.GetString(text),
                (4, ulong flag) => (object)(flag == 1),
                var other => throw new FormatException($"field {other.Number}"),
            });

    private static byte[]? Of(List<(int Number, object Value)> fields, int number) =>
        (byte[]?)fields.FirstOrDefault(field => field.Number == number).Value;

    private static List<(int Number, object Value)> Fields(byte[] data)
    {
        var fields = new List<(int, object)>();
        var at = 0;
        ulong Varint()
        {
            ulong value = 0;
            for (var shift = 0; ; shift += 7)
            {
                var part = data[at++];
                value |= (ulong)(part & 0x7F) << shift;
                if (part < 0x80)
                    return value;
            }
        }

        byte[] Take(int count)
        {
            at += count;
            return data[(at - count)..at];
        }

        while (at < data.Length)
        {
            var key = Varint();
            object value = (key & 7) switch
            {
                0 => Varint(),
                1 => Take(8),
                2 => Take((int)Varint()),
                5 => Take(4),
                _ => throw new FormatException($"wire type {key & 7}"),
            };
            fields.Add(((int)(key >> 3), value));
        }

        return fields;
    }
}
