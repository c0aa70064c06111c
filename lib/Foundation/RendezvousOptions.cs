using System.Globalization;

namespace Dreambooth.Lab.Foundation;

/// <summary>Time limits and the port of a <see cref="Rendezvous"/>; those that users may need have environment variables.</summary>
internal sealed record RendezvousOptions
{
    /// <summary>
    /// The port that rank 0 listens on, 1 to 65535; null for the next free one above the launcher's. <c>LAB_RENDEZVOUS_PORT</c>.
    /// </summary>
    public int? Port { get; init; }

    /// <summary>How long ranks wait for each other at the start. Default 300 s. <c>LAB_RENDEZVOUS_SECONDS</c>.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>How long a rank may be silent before it counts as hung. Default 30 s. <c>LAB_HEARTBEAT_SECONDS</c>.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one that comes may take to prove that it knows the secret. Default 10 s.</summary>
    public TimeSpan Handshake { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a sum may wait for a rank that lives and says nothing of longer work. Default 600 s. <c>LAB_COLLECTIVE_SECONDS</c>.
    /// </summary>
    public TimeSpan Collective { get; init; } = TimeSpan.FromSeconds(600);

    /// <summary>Reads the options.</summary>
    /// <param name="variable">The environment; null for this process's own.</param>
    /// <exception cref="UsageException">A variable is out of range.</exception>
    public static RendezvousOptions Read(Func<string, string?>? variable = null)
    {
        var variables = new LauncherVariables(variable ?? Environment.GetEnvironmentVariable);
        var defaults = new RendezvousOptions();
        return new RendezvousOptions
        {
            Port = variables.Number("LAB_RENDEZVOUS_PORT") is not { } port ? null
                : port is > 0 and <= ushort.MaxValue ? port
                : throw new UsageException($"LAB_RENDEZVOUS_PORT is {port}; a port is a number from 1 to {ushort.MaxValue}."),
            Patience = Seconds("LAB_RENDEZVOUS_SECONDS", defaults.Patience),
            Silence = Seconds("LAB_HEARTBEAT_SECONDS", defaults.Silence),
            Collective = Seconds("LAB_COLLECTIVE_SECONDS", defaults.Collective),
        };

        TimeSpan Seconds(string name, TimeSpan standard) => variables.Text(name) is not { } text ? standard
            : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 1 and <= 86_400
            ? TimeSpan.FromSeconds(seconds)
            : throw new UsageException($"{name} is '{ShownText.Line(text)}'; it must be seconds, from 1 to 86400.");
    }
}
