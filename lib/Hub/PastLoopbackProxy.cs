using System.Net;

namespace Dreambooth.Lab.Hub;

/// <summary>The system's proxy, but not for requests to this machine: without TLS a proxy would see the token.</summary>
/// <param name="system">The system's proxy.</param>
internal sealed class PastLoopbackProxy(IWebProxy system) : IWebProxy
{
    public ICredentials? Credentials
    {
        get => system.Credentials;
        set => system.Credentials = value;
    }

    public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : system.GetProxy(destination);

    public bool IsBypassed(Uri host) => host.IsLoopback || system.IsBypassed(host);
}
