namespace Dreambooth.Lab.Tests.Hub;

/// <summary>A request as the local hub got it.</summary>
internal sealed record LocalRequest(string Host, string Method, string Path, string Authorization, string Range);
