using Xunit.Abstractions;

namespace Dreambooth.Lab.Tests.Running;

/// <summary>Takes up the tests that are found in a class.</summary>
/// <param name="selection">Which of them run.</param>
/// <param name="cases">Receives them.</param>
internal sealed class TestCaseCollector(TestSelection selection, List<ITestCase> cases) : LongLivedMarshalByRefObject, IMessageSink, IDisposable
{
    /// <summary>Set when all are found.</summary>
    public ManualResetEvent Finished { get; } = new(false);

    public bool OnMessage(IMessageSinkMessage message)
    {
        if (message is ITestCaseDiscoveryMessage found && selection.Has(found.TestCase))
            cases.Add(found.TestCase);
        if (message is IDiscoveryCompleteMessage)
            Finished.Set();
        return true;
    }

    public void Dispose() => Finished.Dispose();
}
