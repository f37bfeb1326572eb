namespace Sdxl.Local.Storage;

/// <summary>
/// The statements of one transaction. Each text is compiled once a file; a row's map must not run the very statement that it reads from.
/// </summary>
internal sealed class SqliteSession(
    SqliteConnection connection, SqliteTransaction transaction, Dictionary<string, SqliteCommand> statements)
{
    /// <returns>The number of rows that changed.</returns>
    public int Execute(Sql sql) => Prepare(sql).ExecuteNonQuery();

    /// <returns>The first column of the first row, or null.</returns>
    public object? Scalar(Sql sql) => Prepare(sql).ExecuteScalar() is { } value and not DBNull ? value : null;

    public List<T> Query<T>(Sql sql, Func<SqliteDataReader, T> map)
    {
        using var reader = Prepare(sql).ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
            rows.Add(map(reader));
        return rows;
    }

    private SqliteCommand Prepare(Sql sql)
    {
        var text = sql.ToString();
        if (!statements.TryGetValue(text, out var command))
            statements.Add(text, command = new SqliteCommand(text, connection));
        command.Transaction = transaction;
        command.Parameters.Clear();
        command.Parameters.AddRange(sql.Parameters);
        return command;
    }
}
