using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel;
using Dreambooth.Lab.Kernel.Streams;

namespace Dreambooth.Lab.Tests.Kernel;

public class CellSessionTests
{
    [Fact]
    public void Prepare_InterruptedAtTheStart_DeclaresDisplayAllTheSame()
    {
        var session = new CellSession(new KernelOptions { CaptureNativeOutput = false });
        session.Interrupt();
        session.Prepare();
        session.Begin(interrupted: false);
        var host = new Host();
        Assert.Null(session.Execute(new CellRequest("display(7);", 1, "a", host)).Error);
        Assert.Equal(1, host.Shown);
    }

    private sealed class Host : ICellHost
    {
        public int Shown { get; private set; }

        public void Stream(string name, string text)
        {
        }

        public void Display(JsonObject data, string? displayId, bool update) => Shown++;

        public void Clear(bool wait)
        {
        }

        public string ReadLine(string prompt, bool password) => "";
    }
}
