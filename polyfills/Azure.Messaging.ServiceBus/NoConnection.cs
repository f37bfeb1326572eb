namespace Azure.Messaging.ServiceBus;

internal static class NoConnection
{
    /// <summary>What a client answers that was not replaced by a subclass: this stand-in has no connection to Azure.</summary>
    public static NotSupportedException To(string fullyQualifiedNamespace, string entityPath) => new(
        $"Cannot reach queue '{entityPath}' of '{fullyQualifiedNamespace}': this build uses the polyfill of Azure.Messaging.ServiceBus, which only declares the client. "
        + "Build with -p:UsePolyfills=false to talk to Azure, or run on one machine with `./sdxl up`, which brings its own broker.");
}
