namespace Sdxl.Local.Storage;

/// <summary>
/// The statements of one transaction. Parameters are given as ("$name", value) pairs; null is stored as NULL. Each text is compiled once a
/// file, so texts must be constants; a row's map must not run the very statement that it reads from.
/// </summary>
internal sealed class SqliteSession(
    SqliteConnection connection, SqliteTransaction transaction, Dictionary<string, SqliteCommand> statements)
{
    /// <returns>The number of rows that changed.</returns>
    public int Execute(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = Prepare(sql, parameters);
        return command.ExecuteNonQuery();
    }

    /// <returns>The first column of the first row, or null.</returns>
    public object? Scalar(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = Prepare(sql, parameters);
        return command.ExecuteScalar() is { } value and not DBNull ? value : null;
    }

    public List<T> Query<T>(string sql, Func<SqliteDataReader, T> map, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = Prepare(sql, parameters);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
            rows.Add(map(reader));
        return rows;
    }

    private SqliteCommand Prepare(string sql, ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        if (!statements.TryGetValue(sql, out var command))
        {
            command = connection.CreateCommand();
            command.CommandText = sql;
            statements.Add(sql, command);
        }
        command.Transaction = transaction;
        command.Parameters.Clear();
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }
}

/// <summary>Columns that may be NULL, and times (stored as UTC ticks).</summary>
internal static class SqliteColumns
{
    public static string? TextOrNull(this SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    public static long? LongOrNull(this SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    public static DateTimeOffset Time(this SqliteDataReader row, int column) => new(row.GetInt64(column), TimeSpan.Zero);
}
