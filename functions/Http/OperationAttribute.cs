namespace Sdxl.Functions.Http;

/// <summary>What GET v1/openapi.json says of a function beside its route and methods.</summary>
/// <param name="summary">One sentence.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OperationAttribute(string summary) : Attribute
{
    public string Summary { get; } = summary;

    /// <summary>Type of the answer's JSON; null: it is no JSON, or there is none.</summary>
    public Type? Gives { get; init; }

    /// <summary>Media type of an answer that is no JSON.</summary>
    public string? Media { get; init; }

    /// <summary>Status of success.</summary>
    public int Status { get; init; } = 200;

    /// <summary>Name of the body's schema (<see cref="ApiBodies"/>); null: no body.</summary>
    public string? Body { get; init; }

    /// <summary>Words of the query, separated by commas.</summary>
    public string Query { get; init; } = "";
}
