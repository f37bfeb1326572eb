using Microsoft.DurableTask;
using Microsoft.DurableTask.Converters;

namespace Sdxl.Local.Durable;

/// <summary>Settings of the durable engine.</summary>
public sealed record DurableEngineOptions
{
    /// <summary>The SQLite file; made if missing.</summary>
    public required string DatabasePath { get; init; }

    /// <summary>Activities that run at the same time; 1 or more. Default: one per processor.</summary>
    public int MaxConcurrentActivities { get; init; } = Environment.ProcessorCount;

    /// <summary>How inputs and results become text. Default: JSON as the Functions worker writes it, names read without regard to case.</summary>
    public DataConverter Converter { get; init; } = new JsonDataConverter(new() { PropertyNameCaseInsensitive = true });
}
