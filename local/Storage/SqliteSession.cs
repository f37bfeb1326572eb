namespace Sdxl.Local.Storage;

/// <summary>
/// The statements of one transaction. Each text is compiled once a file, so texts must be constants; a row's map must not run the very
/// statement that it reads from.
/// </summary>
internal sealed class SqliteSession(
    SqliteConnection connection, SqliteTransaction transaction, Dictionary<string, SqliteCommand> statements)
{
    /// <returns>The number of rows that changed.</returns>
    public int Execute(Sql sql) => Execute(sql.Text, sql.Parameters);

    /// <summary>The same with parameters as ("$name", value); null is stored as NULL.</summary>
    public int Execute(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters) =>
        Prepare(sql, parameters).ExecuteNonQuery();

    /// <returns>The first column of the first row, or null.</returns>
    public object? Scalar(Sql sql) => Scalar(sql.Text, sql.Parameters);

    public object? Scalar(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters) =>
        Prepare(sql, parameters).ExecuteScalar() is { } value and not DBNull ? value : null;

    public List<T> Query<T>(Sql sql, Func<SqliteDataReader, T> map) => Query(sql.Text, map, sql.Parameters);

    public List<T> Query<T>(string sql, Func<SqliteDataReader, T> map, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using var reader = Prepare(sql, parameters).ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
            rows.Add(map(reader));
        return rows;
    }

    private SqliteCommand Prepare(string sql, ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        if (!statements.TryGetValue(sql, out var command))
            statements.Add(sql, command = new SqliteCommand(sql, connection));
        command.Transaction = transaction;
        command.Parameters.Clear();
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }
}

internal static class SqliteColumns
{
    public static string? TextOrNull(this SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
