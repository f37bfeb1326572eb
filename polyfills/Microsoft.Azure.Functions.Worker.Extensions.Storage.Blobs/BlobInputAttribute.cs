using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Gives a function a blob or container.</summary>
public sealed class BlobInputAttribute : InputBindingAttribute
{
    public BlobInputAttribute(string blobPath)
    {
        BlobPath = blobPath;
    }

    public string BlobPath { get; }

    public string? Connection { get; set; }
}
