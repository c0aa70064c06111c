using Dreambooth.Lab.Native;

namespace Dreambooth.Lab.Tests.Native;

public class SystemReportTests
{
    [Fact]
    public void Facts_ThisMachine_NameWhatRunsHere()
    {
        var report = SystemReport.Collect();
        var facts = report.Facts.ToDictionary(fact => fact.Label.Trim(), fact => fact.Value);
        Assert.Equal(report.DotNet, facts[".NET"]);
        Assert.StartsWith($"{report.LibTorch} from ", facts["libtorch"], StringComparison.Ordinal);
        Assert.EndsWith("GiB that this process may use", facts["memory"], StringComparison.Ordinal);
    }
}
