using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>Values by the names that the command line and the reference use.</summary>
internal static class OptionText
{
    public static T Parse<T>(string flag, string text) => (T)DreamBoothConfig.Flags.Find(flag)!.Parse([text])!;
}
