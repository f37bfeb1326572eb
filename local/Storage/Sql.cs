using System.Runtime.CompilerServices;
using System.Text;

namespace Sdxl.Local.Storage;

/// <summary>A statement, written as an interpolated string whose holes are parameters: $"… WHERE seq = {seq}".</summary>
[InterpolatedStringHandler]
internal sealed class Sql(int literalLength, int holes)
{
    private readonly StringBuilder text = new(literalLength + (3 * holes));
    private readonly List<(string Name, object? Value)> parameters = new(holes);

    public string Text => text.ToString();

    public ReadOnlySpan<(string Name, object? Value)> Parameters => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(parameters);

    public void AppendLiteral(string literal) => text.Append(literal);

    public void AppendFormatted(object? value)
    {
        var name = $"${parameters.Count}";
        text.Append(name);
        parameters.Add((name, value is Guid id ? id.ToByteArray() : value)); // 16 bytes, not 36 letters
    }

    /// <summary>The same with a beginning; it takes no holes.</summary>
    public Sql After(string beginning)
    {
        text.Insert(0, beginning);
        return this;
    }
}
