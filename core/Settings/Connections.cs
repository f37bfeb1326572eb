namespace Sdxl.Core.Settings;

/// <summary>
/// Names of the settings that say where storage and queues are, and how a client is made of them: the same for the functions and the GPU
/// worker.
/// </summary>
public static class Connections
{
    /// <summary>The storage account: a connection string, or "…:blobServiceUri" for a managed identity.</summary>
    public const string Storage = "SdxlStorage";

    /// <summary>The Service Bus: a connection string, or "…:fullyQualifiedNamespace" for a managed identity.</summary>
    public const string ServiceBus = "SdxlServiceBus";

    /// <param name="setting">A setting's value by its name ("A:B" below a section); null where there is none.</param>
    /// <param name="name">One of the names above.</param>
    /// <param name="byText">Makes the client of a connection string.</param>
    /// <param name="byIdentity">Makes it of an address, for the managed identity.</param>
    /// <exception cref="InvalidOperationException">Neither is set; the message says which settings there are.</exception>
    public static T Connect<T>(Func<string, string?> setting, string name, Func<string, T> byText, Func<string, T> byIdentity)
    {
        var identityKey = name == Storage ? "blobServiceUri" : "fullyQualifiedNamespace";
        if (setting(name) is { Length: > 0 } text)
            return byText(text);
        if (setting($"{name}:{identityKey}") is { Length: > 0 } address)
            return byIdentity(address);
        throw new InvalidOperationException(
            $"Setting '{name}' is missing. Set it to a connection string, or set '{name}__{identityKey}' to use the managed identity.");
    }
}
