using System.Globalization;
using System.Text.Json;

namespace Sdxl.Local.Broker;

/// <summary>Application properties as stored text: name to [type, value], for the types that Service Bus allows.</summary>
internal static class PropertyJson
{
    private static readonly Dictionary<string, Type> Types = new Type[]
    {
        typeof(string), typeof(bool), typeof(byte), typeof(sbyte), typeof(char), typeof(short), typeof(ushort), typeof(int), typeof(uint),
        typeof(long), typeof(ulong), typeof(float), typeof(double), typeof(decimal), typeof(Guid), typeof(DateTime), typeof(DateTimeOffset),
        typeof(TimeSpan), typeof(Uri),
    }.ToDictionary(type => type.Name);

    /// <exception cref="NotSupportedException">A value has a type that Service Bus does not carry.</exception>
    public static string Write(IEnumerable<KeyValuePair<string, object?>> properties) => JsonSerializer.Serialize(
        properties.ToDictionary(property => property.Key, property => property.Value is null ? null : Pack(property.Key, property.Value)));

    public static Dictionary<string, object?> Read(string json) => JsonSerializer.Deserialize<Dictionary<string, string[]?>>(json)!
        .ToDictionary(property => property.Key, property => property.Value is null ? null : Unpack(property.Value[0], property.Value[1]));

    private static string[] Pack(string name, object value)
    {
        var type = value is Uri ? nameof(Uri) : value.GetType().Name;
        if (!Types.ContainsKey(type))
        {
            throw new NotSupportedException(
                $"Application property '{name}' is a {value.GetType()}, which a Service Bus message cannot carry. Allowed: {string.Join(", ", Types.Keys)}.");
        }
        return [type, value switch
        {
            DateTime time => time.ToString("o", CultureInfo.InvariantCulture),
            DateTimeOffset time => time.ToString("o", CultureInfo.InvariantCulture),
            float number => number.ToString("r", CultureInfo.InvariantCulture),
            double number => number.ToString("r", CultureInfo.InvariantCulture),
            _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
        }];
    }

    private static object Unpack(string type, string text) => type switch
    {
        nameof(Guid) => Guid.Parse(text),
        nameof(DateTime) => DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind),
        nameof(DateTimeOffset) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind),
        nameof(TimeSpan) => TimeSpan.Parse(text, CultureInfo.InvariantCulture),
        nameof(Uri) => new Uri(text, UriKind.RelativeOrAbsolute),
        _ => Convert.ChangeType(text, Types[type], CultureInfo.InvariantCulture),
    };
}
