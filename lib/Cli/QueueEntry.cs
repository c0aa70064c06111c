using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Cli;

/// <summary>A training of a queue.</summary>
/// <param name="Line">Its line in the queue's file, from 1.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Config">What it does; its output folder is no other line's.</param>
internal sealed record QueueEntry(int Line, string Name, DreamBoothConfig Config);
