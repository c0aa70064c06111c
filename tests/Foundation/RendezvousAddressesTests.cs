using System.Net;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Foundation;

public sealed class RendezvousAddressesTests
{
    [Fact]
    public void Preferred_LoopbackFirst_IsTriedLast() => Assert.Equal(
        ["10.0.0.1", "fd00::1", "127.0.1.1", "::1"],
        Rendezvous.Preferred(new[] { "127.0.1.1", "::1", "fd00::1", "10.0.0.1" }.Select(IPAddress.Parse))
            .Select(address => address.ToString()));

    [Theory]
    [InlineData("node1", 1, "127.0.1.1", true)]
    [InlineData("node1", 2, "127.0.1.1", false)] // all on this machine
    [InlineData("node1", 1, "10.0.0.1", false)]
    [InlineData("localhost", 1, "127.0.0.1", false)]
    [InlineData("127.0.0.1", 1, "127.0.0.1", false)]
    public void OnlyHere_NameAndItsAddress_IsTrueWhereOthersCannotCome(string name, int here, string address, bool expected) =>
        Assert.Equal(
            expected,
            Rendezvous.OnlyHere(new RankEnvironment { Count = 2, Address = name, LocalCount = here }, [IPAddress.Parse(address)]));
}
