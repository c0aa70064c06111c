using System.Buffers.Binary;
using System.Text;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Native;

/// <summary>
/// The symbol-version needs of an ELF64 little-endian shared library (section <c>.gnu.version_r</c>; System V gABI and
/// the GNU symbol versioning extension). A need that is marked weak does not stop the dynamic loader when the system's
/// library lacks that version.
/// </summary>
internal static class ElfVersionNeed
{
    private const uint SectionVersionNeed = 0x6ffffffe; // SHT_GNU_verneed
    private const ushort WeakFlag = 0x2; // VER_FLG_WEAK

    /// <summary>Marks one version need as weak, in place.</summary>
    /// <param name="image">The whole file; changed where the need is found.</param>
    /// <param name="version">The version name, for example <c>GLIBCXX_3.4.32</c>.</param>
    /// <returns>How many entries were marked; 0 when the file does not ask for that version.</returns>
    /// <exception cref="LabException">The bytes are no ELF64 little-endian file, or its tables point outside of it.</exception>
    public static int MarkWeak(Span<byte> image, string version)
    {
        if (image.Length < 64 || !image[..4].SequenceEqual("\u007fELF"u8) || image[4] != 2 || image[5] != 1)
            throw new LabException("The library is not an ELF64 little-endian file, so its version needs cannot be read.");
        try
        {
            return MarkSections(image, Encoding.ASCII.GetBytes(version));
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OverflowException)
        {
            throw new LabException("The library's ELF tables point outside of the file.", e);
        }
    }

    private static int MarkSections(Span<byte> image, ReadOnlySpan<byte> version)
    {
        var table = checked((int)U64(image, 0x28));
        int entrySize = U16(image, 0x3A), count = U16(image, 0x3C), marked = 0;
        for (var i = 0; i < count; i++)
        {
            var header = image.Slice(table + (i * entrySize), 64);
            if (U32(header, 4) != SectionVersionNeed)
                continue;
            var strings = image.Slice(table + (checked((int)U32(header, 0x28)) * entrySize), 64);
            var names = image.Slice(checked((int)U64(strings, 0x18)), checked((int)U64(strings, 0x20)));
            var needs = image.Slice(checked((int)U64(header, 0x18)), checked((int)U64(header, 0x20)));
            marked += MarkNeeds(needs, names, version, checked((int)U32(header, 0x2C)));
        }

        return marked;
    }

    // Verneed: version u16, aux count u16, file u32, aux offset u32, next offset u32.
    // Vernaux: hash u32, flags u16, other u16, name u32, next offset u32.
    private static int MarkNeeds(Span<byte> needs, ReadOnlySpan<byte> names, ReadOnlySpan<byte> version, int libraries)
    {
        var marked = 0;
        for (int library = 0, need = 0; library < libraries; library++)
        {
            var aux = checked(need + (int)U32(needs, need + 8));
            for (var left = U16(needs, need + 2); left > 0; left--)
            {
                var name = names[checked((int)U32(needs, aux + 8))..];
                if (name[..name.IndexOf((byte)0)].SequenceEqual(version))
                {
                    var flags = needs.Slice(aux + 4, 2);
                    BinaryPrimitives.WriteUInt16LittleEndian(flags, (ushort)(U16(flags, 0) | WeakFlag));
                    marked++;
                }

                aux = checked(aux + (int)U32(needs, aux + 12));
            }

            need = checked(need + (int)U32(needs, need + 12));
        }

        return marked;
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.Slice(offset, 2));

    private static uint U32(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.Slice(offset, 4));

    private static ulong U64(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(bytes.Slice(offset, 8));
}
