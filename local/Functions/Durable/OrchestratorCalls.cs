using Google.Protobuf;
using P = Microsoft.DurableTask.Protobuf;

namespace Sdxl.Local.Functions.Durable;

/// <summary>An orchestrator's turn: its whole history goes to the worker, its decisions come back; both as base64 of protobuf.</summary>
internal static class OrchestratorCalls
{
    public static readonly IReadOnlyDictionary<string, TypedData> NoMetadata = new Dictionary<string, TypedData>();

    public static string Encode(OrchestrationRuntimeState state)
    {
        var request = new P.OrchestratorRequest
        {
            InstanceId = state.OrchestrationInstance!.InstanceId,
            ExecutionId = state.OrchestrationInstance.ExecutionId,
        };
        request.PastEvents.AddRange(state.PastEvents.Select(HistoryProtos.ToProto));
        request.NewEvents.AddRange(state.NewEvents.Select(HistoryProtos.ToProto));
        return request.ToByteString().ToBase64();
    }

    /// <exception cref="SessionAbortedException">The worker wants the turn again, with the history.</exception>
    public static OrchestratorExecutionResult Decode(TypedData returned)
    {
        var response = P.OrchestratorResponse.Parser.ParseFrom(ByteString.FromBase64(returned.String));
        if (response.RequiresHistory)
            throw new SessionAbortedException("The worker asks for the history.");
        try
        {
            return new OrchestratorExecutionResult
            {
                Actions = [.. response.Actions.Select(ActionProtos.ToFramework)],
                CustomStatus = response.CustomStatus,
            };
        }
        catch (NotSupportedException exception)
        {
            return new OrchestratorExecutionResult
            {
                Actions = [ActionProtos.Failed(FailureProtos.Of(typeof(NotSupportedException).FullName!, exception.Message))],
                CustomStatus = response.CustomStatus,
            };
        }
    }
}
