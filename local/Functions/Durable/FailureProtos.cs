using Google.Protobuf;
using P = Microsoft.DurableTask.Protobuf;

namespace Sdxl.Local.Functions.Durable;

/// <summary>Failures on their way between worker and framework.</summary>
internal static class FailureProtos
{
    private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    public static P.TaskFailureDetails? ToProto(this FailureDetails? failure) => failure is null ? null : new()
    {
        ErrorType = failure.ErrorType,
        ErrorMessage = failure.ErrorMessage,
        StackTrace = failure.StackTrace,
        InnerFailure = failure.InnerFailure.ToProto(),
        IsNonRetriable = failure.IsNonRetriable,
    };

    public static FailureDetails? ToFramework(this P.TaskFailureDetails? proto) => proto is null ? null : new(
        proto.ErrorType, proto.ErrorMessage, proto.StackTrace, proto.InnerFailure.ToFramework(), proto.IsNonRetriable);

    /// <summary>What a function threw. The durable extension packs an activity's whole failure as JSON into the first line.</summary>
    public static FailureDetails Of(RpcException? exception)
    {
        var firstLine = exception?.Message.Split('\n', 2)[0] ?? "";
        if (firstLine.StartsWith('{'))
        {
            try
            {
                return Parser.Parse<P.TaskFailureDetails>(firstLine).ToFramework()!;
            }
            catch (IOException) // no JSON, or of something else
            {
                // A message of the function's own that begins with a brace.
            }
        }
        return Of(exception?.Type, exception?.Message ?? "The function failed without a reason.", exception?.StackTrace);
    }

    public static FailureDetails Of(string? type, string message, string? stackTrace = null) => new(
        string.IsNullOrEmpty(type) ? typeof(InvalidOperationException).FullName! : type, message, stackTrace, null, isNonRetriable: false);
}
