namespace Dreambooth.Lab.Tests.Architecture;

public sealed class CallGraphTests
{
    private readonly CallGraph<char> _graph = new(
        node => node switch { 'a' => "bc", 'b' => "a", 'd' => "e", 'e' => "d", _ => "" }, node => node == 'c');

    [Fact]
    public void Reaches_OnACycleAskedAfterItsEntry_IsNotRememberedAsClean()
    {
        Assert.True(_graph.Reaches('a'));
        Assert.True(_graph.Reaches('b'));
    }

    [Fact]
    public void Reaches_OnACycleWithoutGoal_IsFalseForBoth()
    {
        Assert.False(_graph.Reaches('d'));
        Assert.False(_graph.Reaches('e'));
    }
}
