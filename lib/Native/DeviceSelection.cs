using Dreambooth.Lab.Foundation;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Native;

/// <summary>Resolves the device that a user names.</summary>
internal static class DeviceSelection
{
    /// <summary>Chooses a device.</summary>
    /// <param name="text"><c>auto</c> (CUDA where there is one, else the CPU), <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</param>
    /// <exception cref="LabException">The text is none of these, or there is no such device.</exception>
    public static Device Parse(string text)
    {
        TorchLibraries.EnsureLoaded();
        if (text == "cpu")
            return CPU;
        var count = cuda.is_available() ? cuda.device_count() : 0;
        if (text == "auto")
            return count > 0 ? new Device(DeviceType.CUDA, 0) : CPU;
        var index = text == "cuda"
            ? 0
            : text?.StartsWith("cuda:", StringComparison.Ordinal) == true && int.TryParse(text.AsSpan(5), out var number) && number >= 0
            ? number
            : throw new LabException(
                $"The device is '{ShownText.Line(text ?? string.Empty)}'; valid values are auto, cpu, cuda and cuda:N.");
        return index < count
            ? new Device(DeviceType.CUDA, index)
            : throw new LabException(
                $"The device is '{ShownText.Line(text)}', but libtorch sees {count} CUDA device{(count == 1 ? string.Empty : "s")} here. "
                + "`dotnet run -- doctor` shows what was found.");
    }
}
