using System.Reflection;
using Newtonsoft.Json;
using Newtonsoft.Json.Serialization;
using JsonSerializer = Newtonsoft.Json.JsonSerializer;

namespace Sdxl.Local.Durable;

/// <summary>
/// The framework's messages, events and states as JSON. Where a value's type is not the declared one, $type names it; only types of
/// DurableTask.Core and Dictionary&lt;string, string&gt; (tags) are read or written so, hence a manipulated file cannot have any other
/// class made.
/// </summary>
internal static class DurableJson
{
    private static readonly JsonSerializer Serializer = JsonSerializer.Create(new JsonSerializerSettings
    {
        TypeNameHandling = TypeNameHandling.Auto,
        SerializationBinder = new FrameworkTypes(),
        DateTimeZoneHandling = DateTimeZoneHandling.RoundtripKind,
        DateParseHandling = DateParseHandling.None, // A string stays as it was, even if it looks like a date.
        NullValueHandling = NullValueHandling.Ignore,
        MaxDepth = 512, // Failures nest as deeply as exceptions do; the default is 64.
    });

    /// <typeparam name="T">The declared type: the same as in <see cref="Read{T}"/>.</typeparam>
    public static string Write<T>(T value)
    {
        var text = new StringWriter(CultureInfo.InvariantCulture);
        Serializer.Serialize(text, value, typeof(T));
        return text.ToString();
    }

    /// <exception cref="InvalidDataException">It is no such JSON; the message names <paramref name="what"/>.</exception>
    public static T Read<T>(string json, string what)
    {
        try
        {
            using var reader = new JsonTextReader(new StringReader(json));
            return Serializer.Deserialize<T>(reader) ?? throw new JsonSerializationException("null");
        }
        catch (Newtonsoft.Json.JsonException e)
        {
            const string Remedy = "Start the orchestration again under the same id, which replaces it.";
            throw new InvalidDataException($"{what} is no {typeof(T).Name} that this version can read: {e.Message} {Remedy}", e);
        }
    }

    private sealed class FrameworkTypes : ISerializationBinder
    {
        private const string Tags = "Tags";

        private static readonly Assembly Framework = typeof(HistoryEvent).Assembly;

        public Type BindToType(string? assemblyName, string typeName) => (assemblyName, typeName) switch
        {
            (null, Tags) => typeof(Dictionary<string, string>),
            (null, _) when Framework.GetType(typeName) is { } type => type,
            _ => throw new JsonSerializationException($"Type '{typeName}, {assemblyName}' is not allowed."),
        };

        public void BindToName(Type type, out string? assemblyName, out string? typeName) => (assemblyName, typeName) = (null,
            type == typeof(Dictionary<string, string>) ? Tags
            : type.Assembly == Framework ? type.FullName
            : throw new JsonSerializationException($"Type '{type}' is not allowed."));
    }
}
