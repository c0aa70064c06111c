using System.Net;
using System.Net.Sockets;

namespace Dreambooth.Lab.Foundation;

/// <content>The addresses and ports at which the ranks look for each other.</content>
internal sealed partial class Rendezvous
{
    private Socket Listen(RankEnvironment place)
    {
        var addresses = Resolve(place.Address);
        if (addresses.Count == 0)
        {
            throw new RankFailureException(
                $"{place.Address}, rank 0's machine, is a name that {Environment.MachineName} does not know. Set MASTER_ADDR to an "
                + "address.");
        }

        if (OnlyHere(place, addresses))
        {
            throw new RankFailureException(
                $"{place.Address}, rank 0's machine, is {addresses[0]} there, which ranks on other machines cannot reach. Set MASTER_ADDR "
                + "to its address in their network, or to 127.0.0.1 where all ranks run on this machine.");
        }

        SocketException? last = null;
        foreach (var port in Ports(place))
        {
            foreach (var address in addresses)
            {
                var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                try
                {
                    socket.Bind(new IPEndPoint(address, port));
                    socket.Listen(MostKnocks);
                    return socket;
                }
                catch (SocketException error)
                {
                    socket.Dispose();
                    last = error;
                }
            }
        }

        throw last?.SocketErrorCode == SocketError.AddressNotAvailable
            ? new RankFailureException(
                $"MASTER_ADDR, {place.Address}, is no address of this machine, {Environment.MachineName}, and rank 0 runs here. Give the "
                + "address of the machine of rank 0.")
            : new RankFailureException($"Rank 0 cannot listen on {place.Address}, {PortText(place)}: {last?.Message}");
    }

    private static string Unknown(RankEnvironment place) =>
        Resolve(place.Address).Count > 0 ? "." : ", where that name is not known. Set MASTER_ADDR to an address.";

    private static Socket? Connect(IPEndPoint where, CancellationToken cancellation)
    {
        var socket = new Socket(where.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Reply);
        try
        {
            socket.ConnectAsync(where, limit.Token).AsTask().GetAwaiter().GetResult();
            return socket;
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            socket.Dispose();
            return null;
        }
    }

    /// <summary>The order in which a machine's addresses are tried: Debian gives its own name 127.0.1.1, where none come.</summary>
    internal static IReadOnlyList<IPAddress> Preferred(IEnumerable<IPAddress> addresses) =>
        [.. addresses.OrderBy(IPAddress.IsLoopback).ThenBy(address => address.AddressFamily != AddressFamily.InterNetwork)];

    /// <summary>Whether a name is this machine's to itself alone, though ranks run elsewhere; what is called local was meant.</summary>
    internal static bool OnlyHere(RankEnvironment place, IReadOnlyList<IPAddress> addresses) =>
        place.LocalCount < place.Count && addresses.All(IPAddress.IsLoopback)
        && place.Address != "localhost" && !IPAddress.TryParse(place.Address, out _);

    // A name may not be known yet: a pod's is entered when it has started.
    private static IReadOnlyList<IPAddress> Resolve(string name)
    {
        try
        {
            return Preferred(Dns.GetHostAddresses(name));
        }
        catch (Exception error) when (error is SocketException or ArgumentException)
        {
            return [];
        }
    }

    private IEnumerable<int> Ports(RankEnvironment place) => _options.Port is { } port ? [port]
        : Enumerable.Range(1, PortsTried).Select(more => place.Port + more).Where(number => number <= ushort.MaxValue);

    private string PortText(RankEnvironment place) =>
        _options.Port is { } port ? $"port {port}" : $"ports {place.Port + 1} to {place.Port + PortsTried}";
}
