using System.Text.Json.Serialization;

namespace Dreambooth.Lab.Training;

/// <summary>How far a training is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RunState>))]
internal enum RunState
{
    /// <summary>A process holds its folder.</summary>
    [JsonStringEnumMemberName("running")]
    Running,

    /// <summary>All steps are done.</summary>
    [JsonStringEnumMemberName("finished")]
    Finished,

    /// <summary>It was cancelled, or its process was killed.</summary>
    [JsonStringEnumMemberName("interrupted")]
    Interrupted,

    /// <summary>An error ended it.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,
}
