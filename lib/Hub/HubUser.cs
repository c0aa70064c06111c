namespace Dreambooth.Lab.Hub;

/// <summary>Who a token belongs to.</summary>
/// <param name="Name">The account's name.</param>
/// <param name="Organizations">The organisations that it belongs to.</param>
/// <param name="TokenRole">
/// What the token may do (<c>read</c>, <c>write</c>, <c>fineGrained</c>), or null when the hub does not say.
/// </param>
public sealed record HubUser(string Name, IReadOnlyList<string> Organizations, string? TokenRole);
