using System.Collections;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using P = Microsoft.DurableTask.Protobuf;

namespace Sdxl.Local.Functions.Durable;

/// <summary>Failures on their way between worker and framework; nothing of them is lost.</summary>
internal static class FailureProtos
{
    private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    public static P.TaskFailureDetails? ToProto(this FailureDetails? failure)
    {
        if (failure is null)
            return null;
        var proto = new P.TaskFailureDetails
        {
            ErrorType = failure.ErrorType,
            ErrorMessage = failure.ErrorMessage,
            StackTrace = failure.StackTrace,
            InnerFailure = failure.InnerFailure.ToProto(),
            IsNonRetriable = failure.IsNonRetriable,
        };
        foreach (var (name, value) in failure.Properties ?? new Dictionary<string, object?>())
            proto.Properties[name] = ToValue(value);
        return proto;
    }

    public static FailureDetails? ToFramework(this P.TaskFailureDetails? proto) => proto is null ? null : new FailureDetails(
        proto.ErrorType, proto.ErrorMessage, proto.StackTrace, proto.InnerFailure.ToFramework(), proto.IsNonRetriable,
        proto.Properties.ToDictionary(property => property.Key, property => FromValue(property.Value)));

    /// <summary>The durable extension packs an activity's whole failure as JSON into the first line of the message.</summary>
    public static FailureDetails OfActivity(RpcException? exception)
    {
        var firstLine = exception?.Message.Split('\n', 2)[0] ?? "";
        if (firstLine.StartsWith('{'))
        {
            try
            {
                return Parser.Parse<P.TaskFailureDetails>(firstLine).ToFramework()!;
            }
            catch (InvalidProtocolBufferException)
            {
                // A message of the function's own that begins with a brace.
            }
        }
        return OfInvocation(exception);
    }

    public static FailureDetails OfInvocation(RpcException? exception) =>
        Of(exception?.Type ?? "", exception?.Message ?? "The function failed without a reason.", exception?.StackTrace);

    public static FailureDetails Of(string type, string message, string? stackTrace = null) => new(
        type.Length > 0 ? type : typeof(InvalidOperationException).FullName!, message, stackTrace, null, isNonRetriable: false);

    private static Value ToValue(object? value) => value switch
    {
        null => Value.ForNull(),
        string text => Value.ForString(text),
        bool flag => Value.ForBool(flag),
        IConvertible number and not (DateTime or char) => Value.ForNumber(number.ToDouble(null)),
        IDictionary<string, object?> map =>
            Value.ForStruct(new Struct { Fields = { map.ToDictionary(entry => entry.Key, entry => ToValue(entry.Value)) } }),
        IEnumerable list => Value.ForList([.. list.Cast<object?>().Select(ToValue)]),
        _ => Value.ForString(value.ToString() ?? ""),
    };

    private static object? FromValue(Value value) => value.KindCase switch
    {
        Value.KindOneofCase.StringValue => value.StringValue,
        Value.KindOneofCase.BoolValue => value.BoolValue,
        Value.KindOneofCase.NumberValue => value.NumberValue,
        Value.KindOneofCase.StructValue => value.StructValue.Fields.ToDictionary(field => field.Key, field => FromValue(field.Value)),
        Value.KindOneofCase.ListValue => value.ListValue.Values.Select(FromValue).ToList(),
        _ => null,
    };
}
