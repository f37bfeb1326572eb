namespace Sdxl.Local.Hosting;

/// <summary>
/// Where the local host keeps everything: azurite/ (blobs), orchestrations.db, queues.db, uploads.db, worker/ (scratch), keys.json,
/// host.json while it runs.
/// </summary>
/// <param name="Path">Made if missing.</param>
public sealed record StateFolder(string Path)
{
    /// <summary>Counts up when this version cannot go on with what lies in storage. 2: the owner stands first in every name.</summary>
    private const string Layout = "2";

    // Of versions whose host had an engine and a broker of its own format.
    private static readonly string[] s_earlierFiles = ["durable.db", "broker.db", "functions.db"];

    public string Azurite => At("azurite");
    public string OrchestrationsFile => At("orchestrations.db");
    public string QueuesFile => At("queues.db");
    public string UploadsFile => At("uploads.db");
    public string KeysFile => At("keys.json");
    public string Worker => At("worker");
    public string HostLock => At("host.lock");
    private string LayoutFile => At("layout");

    /// <summary>Marks a new folder as this version's.</summary>
    /// <exception cref="InvalidOperationException">Another version's jobs or records lie there, which this one cannot read.</exception>
    public void RequireCurrent()
    {
        var earlier = s_earlierFiles.Where(name => File.Exists(At(name))).ToList();
        if (earlier.Count > 0)
            throw new InvalidOperationException(
                $"{Path} was written by an earlier version of sdxl, whose running jobs this one cannot go on with. To keep its published "
                + $"versions and finished trainings, delete {string.Join(", ", earlier.Select(At))} (and the files -wal and -shm beside "
                + "them); trainings that were running end there. To keep all as it is, set SDXL_HOME to another folder.");
        var found = File.Exists(LayoutFile) ? File.ReadAllText(LayoutFile).Trim() : Directory.Exists(Azurite) ? "1" : null;
        if (found is not (null or Layout))
            throw new InvalidOperationException(
                $"{Path} was written by another version of sdxl: what lies in its storage has the names of layout {found}, this version "
                + $"reads layout {Layout}. To keep it, set SDXL_HOME to another folder; to begin anew, delete {Path}.");
        if (found is not null)
            return;
        Directory.CreateDirectory(Path);
        File.WriteAllText(LayoutFile, Layout + "\n");
    }

    private string At(string name) => System.IO.Path.Combine(Path, name);
}
