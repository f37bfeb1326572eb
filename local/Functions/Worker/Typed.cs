namespace Sdxl.Local.Functions.Worker;

/// <summary>Values and answers as the worker takes and gives them.</summary>
internal static class Typed
{
    public static TypedData Text(string text) => new() { String = text };

    public static TypedData Json<T>(T value) => new() { Json = JsonSerializer.Serialize(value) };

    public static bool Succeeded(this InvocationResponse response) => response.Result?.Status == StatusResult.Types.Status.Success;

    public static string Error(this InvocationResponse response) =>
        response.Result?.Exception?.Whole() ?? $"{response.Result?.Status}, without a reason.";

    public static string Whole(this RpcException exception) => $"{exception.Type}: {exception.Message}\n{exception.StackTrace}";
}
