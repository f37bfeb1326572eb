using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using System.Runtime.ExceptionServices;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Sdxl.Local.Functions;

/// <summary>What one invocation brings along beside services.</summary>
internal sealed record Invocation
{
    /// <summary>Makes the trigger's value for the type that the parameter has.</summary>
    public required Func<Type, object?> TriggerValue { get; init; }

    /// <summary>Values by name, such as the parts of a route or of a blob's path.</summary>
    public IReadOnlyDictionary<string, object?> BindingData { get; init; } = new Dictionary<string, object?>();

    /// <summary>Objects that a parameter gets by its type, such as the HttpRequest.</summary>
    public IReadOnlyList<object> ByType { get; init; } = [];

    /// <summary>Entries of FunctionContext.Items.</summary>
    public IReadOnlyDictionary<object, object> Items { get; init; } = new Dictionary<object, object>();
}

/// <summary>Runs functions: a scope and a new instance of the class for each invocation, arguments by attribute, type and name.</summary>
internal sealed class FunctionInvoker(IServiceProvider services)
{
    /// <returns>What the function returned; null for void and Task.</returns>
    public async Task<object?> Invoke(FunctionMethod function, Invocation invocation, CancellationToken cancellation)
    {
        // No ConfigureAwait here: orchestrators run through this too, on their own single thread.
        await using var scope = services.CreateAsyncScope();
        var context = new LocalFunctionContext(function, scope.ServiceProvider, invocation.BindingData, cancellation);
        foreach (var (key, value) in invocation.Items)
            context.Items[key] = value;
        var arguments = function.Method.GetParameters().Select(parameter => Bind(function, parameter, invocation, context)).ToArray();
        var instance = function.Method.IsStatic ? null : ActivatorUtilities.CreateInstance(scope.ServiceProvider, function.Method.DeclaringType!);
        return await Result(Call(function.Method, instance, arguments));
    }

    private static object? Call(MethodInfo method, object? instance, object?[] arguments)
    {
        try
        {
            return method.Invoke(instance, arguments);
        }
        catch (TargetInvocationException wrapped) when (wrapped.InnerException is { } thrown)
        {
            ExceptionDispatchInfo.Throw(thrown);
            throw;
        }
    }

    private static async Task<object?> Result(object? returned)
    {
        switch (returned)
        {
            case null:
                return null;
            case Task task:
                await task;
                // The compiler's Task of an async Task method is a Task<VoidTaskResult> underneath.
                return task.GetType().GetProperty("Result") is { } result && result.PropertyType.Name != "VoidTaskResult" ? result.GetValue(task) : null;
            case ValueTask task:
                await task;
                return null;
            default:
                return returned.GetType() is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(ValueTask<>)
                    ? await Result(type.GetMethod(nameof(ValueTask<int>.AsTask))!.Invoke(returned, null))
                    : returned;
        }
    }

    private object? Bind(FunctionMethod function, ParameterInfo parameter, Invocation invocation, LocalFunctionContext context)
    {
        var type = parameter.ParameterType;
        if (parameter == function.TriggerParameter)
            return invocation.TriggerValue(type);
        if (parameter.GetCustomAttribute<DurableClientAttribute>() is not null)
            return services.GetRequiredService<DurableTaskClient>();
        if (type == typeof(FunctionContext))
            return context;
        if (type == typeof(CancellationToken))
            return context.CancellationToken;
        if (invocation.ByType.FirstOrDefault(type.IsInstanceOfType) is { } known)
            return known;
        if (invocation.BindingData.FirstOrDefault(pair => string.Equals(pair.Key, parameter.Name, StringComparison.OrdinalIgnoreCase)) is { Key: not null } named)
            return named.Value is null && parameter.HasDefaultValue ? parameter.DefaultValue : Convert(function, parameter, named.Value);
        if (parameter.HasDefaultValue)
            return parameter.DefaultValue;
        throw new InvalidOperationException(
            $"Function '{function.Name}': nothing to bind parameter '{type.Name} {parameter.Name}' to. Names known to this trigger: "
            + $"{(invocation.BindingData.Count == 0 ? "none" : string.Join(", ", invocation.BindingData.Keys))}. "
            + "Services belong into the constructor.");
    }

    private static object? Convert(FunctionMethod function, ParameterInfo parameter, object? value)
    {
        var type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        if (value is null || type.IsInstanceOfType(value))
            return value;
        try
        {
            return TypeDescriptor.GetConverter(type).ConvertFromInvariantString(System.Convert.ToString(value, CultureInfo.InvariantCulture)!);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or NotSupportedException)
        {
            throw new InvalidOperationException(
                $"Function '{function.Name}': parameter '{parameter.Name}' is a {type.Name}, and '{value}' cannot be read as one.", exception);
        }
    }
}
