using Sdxl.Local.Storage;

namespace Sdxl.Local.Functions;

/// <summary>Which version (ETag) of which blob a function has seen, in SQLite: each version starts it once, also over restarts.</summary>
internal sealed class BlobReceipts(string path) : IDisposable
{
    private const string Schema = """
        CREATE TABLE IF NOT EXISTS receipts (
            function TEXT NOT NULL, container TEXT NOT NULL, blob TEXT NOT NULL, etag TEXT NOT NULL, attempts INTEGER NOT NULL,
            state TEXT NOT NULL, error TEXT, PRIMARY KEY (function, container, blob)) WITHOUT ROWID;
        """;

    private readonly SqliteFile file = new(path, Schema);

    /// <summary>The attempts made for a version so far, or null where it is finished (done or given up).</summary>
    public int? OpenAttempts(string function, string container, string blob, string etag) => file.Read(session => session.Query(
        "SELECT attempts, state FROM receipts WHERE function = $function AND container = $container AND blob = $blob AND etag = $etag",
        row => (Attempts: row.GetInt32(0), State: row.GetString(1)),
        ("$function", function), ("$container", container), ("$blob", blob), ("$etag", etag)) switch
    {
        [] => 0,
        [{ State: "open" } open] => open.Attempts,
        _ => (int?)null,
    });

    /// <param name="state">"open" (it will be tried again), "done" or "poison".</param>
    public void Write(string function, string container, string blob, string etag, int attempts, string state, string? error) => file.Write(session =>
    {
        session.Execute(
            "INSERT OR REPLACE INTO receipts VALUES ($function, $container, $blob, $etag, $attempts, $state, $error)",
            ("$function", function), ("$container", container), ("$blob", blob), ("$etag", etag), ("$attempts", attempts), ("$state", state), ("$error", error));
    });

    /// <summary>The versions given up: "container/blob" and the last error.</summary>
    public List<(string Blob, string Error)> Poison() => file.Read(session => session.Query(
        "SELECT container || '/' || blob, error FROM receipts WHERE state = 'poison' ORDER BY container, blob", row => (row.GetString(0), row.TextOrNull(1) ?? string.Empty)));

    public void Dispose() => file.Dispose();
}
