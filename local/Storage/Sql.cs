using System.Runtime.CompilerServices;
using System.Text;

namespace Sdxl.Local.Storage;

/// <summary>
/// A statement, written as an interpolated string whose holes are parameters: $"… WHERE seq = {seq}". Only a constant may stand in the
/// text itself: $"SELECT {Columns:raw} …".
/// </summary>
[InterpolatedStringHandler]
internal sealed class Sql(int literalLength, int holes)
{
    private readonly StringBuilder text = new(literalLength + (3 * holes));

    public List<SqliteParameter> Parameters { get; } = new(holes);

    public void AppendLiteral(string literal) => text.Append(literal);

    public void AppendFormatted(object? value)
    {
        var name = $"${Parameters.Count}";
        text.Append(name);
        // A Guid as its 16 bytes, not as 36 letters.
        Parameters.Add(new SqliteParameter(name, value is Guid id ? id.ToByteArray() : value ?? DBNull.Value));
    }

    /// <summary>Another statement's end, where this one has no holes of its own.</summary>
    public void AppendFormatted(Sql end)
    {
        Debug.Assert(Parameters.Count == 0);
        text.Append(end);
        Parameters.AddRange(end.Parameters);
    }

    public void AppendFormatted(object constant, string format)
    {
        Debug.Assert(format == "raw");
        text.Append(CultureInfo.InvariantCulture, $"{constant}");
    }

    public override string ToString() => text.ToString();
}
