using System.Reflection;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Dreambooth.Lab.Tests.Running;

/// <summary>
/// Runs tests where there is a .NET runtime but no SDK: <c>dotnet Dreambooth.Lab.Tests.dll --trait Category=Parity --class Models Pipelines</c>.
/// Everywhere else <c>dotnet test tests</c> does.
/// </summary>
internal static class Program
{
    private const string Usage = "usage: dotnet Dreambooth.Lab.Tests.dll [--trait NAME=VALUE] [--class PART-OF-A-NAME ...] [--seconds N] [--list]";

    public static int Main(string[] args)
    {
        var selection = TestSelection.Parse(args);
        if (selection is null)
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }

        var assembly = typeof(Program).Assembly;
        var quiet = new NullMessageSink();
        using var framework = new XunitTestFramework(quiet);
        var cases = Discover(framework, assembly, selection);
        if (selection.OnlyList)
        {
            cases.ForEach(test => Console.WriteLine(test.DisplayName));
            return 0;
        }

        using var log = new TestLog(Console.Out, selection.Seconds);
        using var executor = framework.GetExecutor(assembly.GetName());
        executor.RunTests(cases, log, new TestRunOptions());
        log.Finished.WaitOne();
        log.WriteSummary(cases.Count);
        return log.Failed == 0 && log.Passed > 0 && !log.Stopped ? 0 : 1;
    }

    // Class by class: a class whose own references are not all here, as those of a web server, harms no other.
    private static List<ITestCase> Discover(XunitTestFramework framework, Assembly assembly, TestSelection selection)
    {
        using var discoverer = framework.GetDiscoverer(Reflector.Wrap(assembly));
        var cases = new List<ITestCase>();
        foreach (var type in Types(assembly).Where(type => type is { IsClass: true, IsAbstract: false } && selection.Has(type)).OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            using var sink = new TestCaseCollector(selection, cases);
            discoverer.Find(type.FullName, false, sink, new TestRunOptions());
            sink.Finished.WaitOne();
        }

        return cases;
    }

    private static IEnumerable<Type> Types(Assembly assembly)
    {
        try
        {
            return assembly.GetTypes();
        }
        catch (ReflectionTypeLoadException some)
        {
            return some.Types.OfType<Type>();
        }
    }
}
