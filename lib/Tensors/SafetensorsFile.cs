using System.Runtime.InteropServices;
using Dreambooth.Lab.Foundation;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tensors;

/// <summary>
/// A safetensors file, opened for reading. Opening reads and checks the header alone; tensors are views of a private memory
/// mapping (one per element type), so that a load to the CPU with the stored type copies nothing and memory fills as the
/// bytes are touched; a load to another device or type goes straight there, one tensor's pages at a time. Writing into a loaded tensor
/// changes the process's copy of those pages, never the file.
/// </summary>
/// <remarks>
/// Loaded tensors stay valid after <see cref="Dispose"/>: the mapping lives until the last of them is disposed.
/// Safe for use from several threads. The file must not be truncated while tensors of it are in use.
/// </remarks>
public sealed class SafetensorsFile : IDisposable
{
    private const int ReadChunk = 1 << 26;

    private readonly Lock _lock = new();
    private readonly Dictionary<ScalarType, Tensor?> _mappings = [];
    private readonly SafetensorsHeader _header;
    private readonly long _length;
    private readonly DateTime _written;
    // The file that a link (as in the hub's cache) led to when it was opened; sizes and times of a link are the link's own.
    private readonly string _target;
    private bool _disposed;

    private SafetensorsFile(string path, string target, SafetensorsHeader header, long length, DateTime written) =>
        (Path, _target, _header, _length, _written) = (path, target, header, length, written);

    /// <summary>The file's full path.</summary>
    public string Path { get; }

    /// <summary>The texts of the header's <c>__metadata__</c>; empty when there are none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>Every tensor of the file by its name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Tensors => _header.Tensors;

    /// <summary>Opens a file and checks its whole header; no tensor is read yet.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="LabException">The file is missing, unreadable or breaks the format; the message names it.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            var full = System.IO.Path.GetFullPath(path);
            var target = File.ResolveLinkTarget(full, returnFinalTarget: true)?.FullName ?? full;
            RegularFile.Require(target);
            using var stream = new FileStream(target, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            var written = File.GetLastWriteTimeUtc(target);
            return new SafetensorsFile(full, target, SafetensorsHeader.Read(path, stream), stream.Length, written);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new LabException($"Cannot open the safetensors file {path}: {error.Message}", error);
        }
    }

    /// <summary>Loads one tensor.</summary>
    /// <param name="name">Its key.</param>
    /// <param name="device">Where it shall lie; the CPU when null.</param>
    /// <param name="dtype">Its element type; as stored when null.</param>
    /// <returns>The tensor, of the stored shape, owned by the caller (and by the caller's dispose scope, when there is one).
    /// On the CPU with the stored type it is a view of the mapping, without a copy; 8-bit floating-point values are decoded.</returns>
    /// <exception cref="LabException">There is no such tensor, or the file was changed since it was opened.</exception>
    public Tensor Load(string name, Device? device = null, ScalarType? dtype = null)
    {
        if (!Tensors.TryGetValue(name, out var entry))
            throw new LabException($"{Path} holds no tensor '{name}'. {NearestNames.Describe(name, Tensors.Keys)}");
        using var scope = NewDisposeScope();
        var target = device ?? CPU;
        var type = dtype ?? entry.DType;
        if (entry.Float8 is not null)
            return entry.Float8.Decode(View(entry with { DType = ScalarType.Byte, Float8 = null }, keepMapping: false).to(target), type)
                .MoveToOuterDisposeScope();
        var result = target.type == DeviceType.CPU && type == entry.DType
            ? View(entry, keepMapping: true)
            : View(entry, keepMapping: false).to(type, target);
        return result.MoveToOuterDisposeScope();
    }

    /// <summary>Unmaps the file; loaded tensors stay valid.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            foreach (var mapping in _mappings.Values)
                mapping?.Dispose();
            _mappings.Clear();
        }
    }

    /// <summary>
    /// The tensor as it lies in the file. A kept mapping is shared by all tensors of the type; another one lives as long as
    /// the view, so that the pages of a tensor that is copied elsewhere leave the process's memory with it.
    /// </summary>
    private Tensor View(SafetensorsEntry entry, bool keepMapping)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (entry.ByteLength == 0)
            return empty(entry.Shape, entry.DType, CPU);
        var size = SafetensorsDType.SizeOf(entry.DType);
        if (entry.Offset % size != 0)
            return Read(entry);
        var mapping = keepMapping ? KeptMapping(entry.DType, size) : Map(entry.DType, size);
        return mapping is null ? Read(entry) : mapping.narrow(0, entry.Offset / size, entry.ElementCount).view(entry.Shape);
    }

    private Tensor? KeptMapping(ScalarType type, int size)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_mappings.TryGetValue(type, out var mapping))
                _mappings.Add(type, mapping = Map(type, size)?.DetachFromDisposeScope());
            return mapping;
        }
    }

    /// <summary>The whole file as elements of one type; null where the system refuses the mapping (then bytes are read).</summary>
    private Tensor? Map(ScalarType type, int size)
    {
        CheckUnchanged();
        try
        {
            // shared: false maps privately; a shared mapping would write into the checkpoint.
            return from_file(_target, shared: false, _length / size, type, CPU);
        }
        catch (ExternalException)
        {
            return null;
        }
    }

    /// <summary>Copies a tensor out of the file: where its first byte is not aligned to its element size, or mapping is refused.</summary>
    private Tensor Read(SafetensorsEntry entry)
    {
        CheckUnchanged();
        var result = empty(entry.Shape, entry.DType, CPU);
        var flat = result.view(-1);
        var step = ReadChunk / SafetensorsDType.SizeOf(entry.DType);
        using var stream = new FileStream(_target, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        stream.Position = entry.Offset;
        for (long start = 0; start < entry.ElementCount; start += step)
        {
            using var chunk = flat.narrow(0, start, Math.Min(step, entry.ElementCount - start));
            stream.ReadExactly(chunk.bytes);
        }

        return result;
    }

    private void CheckUnchanged()
    {
        var now = new FileInfo(_target);
        if (!now.Exists || now.Length != _length || now.LastWriteTimeUtc != _written)
            throw new LabException($"{Path} was changed or removed after it was opened; open it again.");
    }
}
