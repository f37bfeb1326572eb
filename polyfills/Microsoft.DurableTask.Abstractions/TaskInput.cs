namespace Microsoft.DurableTask;

internal static class TaskInput
{
    /// <summary>The input as T; a missing input becomes T's default.</summary>
    public static T As<T>(object? input) => input switch
    {
        T typed => typed,
        null => default!,
        _ => throw new ArgumentException($"Input type '{input.GetType()}' does not match expected type '{typeof(T)}'."),
    };
}
