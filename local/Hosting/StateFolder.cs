namespace Sdxl.Local.Hosting;

/// <summary>Where the local host keeps everything: azurite/ (blobs), durable.db, functions.db, broker.db, worker/ (scratch), host.json while it runs.</summary>
/// <param name="Path">Made if missing.</param>
public sealed record StateFolder(string Path)
{
    public string Azurite => At("azurite");

    public string BrokerFile => At("broker.db");

    public string Worker => At("worker");

    public string HostFile => At("host.json");

    public string HostLock => At("host.lock");

    public string WorkerLock => At("worker.lock");

    private string At(string name) => System.IO.Path.Combine(Path, name);
}
