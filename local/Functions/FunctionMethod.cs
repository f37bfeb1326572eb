using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Sdxl.Local.Functions;

/// <summary>A method with [Function], and the parameter that starts it.</summary>
internal sealed record FunctionMethod(string Name, MethodInfo Method, ParameterInfo TriggerParameter, TriggerBindingAttribute Trigger)
{
    /// <summary>Namespace, class and method.</summary>
    public string EntryPoint => $"{Method.DeclaringType!.FullName}.{Method.Name}";

    /// <summary>Finds the functions of an assembly, in its public classes as the Functions worker does.</summary>
    /// <exception cref="InvalidOperationException">Functions that cannot be run here, all of them in one message.</exception>
    public static IReadOnlyList<FunctionMethod> Discover(Assembly assembly) => Discover(assembly.GetName().Name!, assembly.GetExportedTypes());

    /// <inheritdoc cref="Discover(Assembly)"/>
    public static IReadOnlyList<FunctionMethod> Discover(string source, params IEnumerable<Type> classes)
    {
        var problems = new List<string>();
        var found = new List<FunctionMethod>();
        foreach (var method in classes.SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)))
        {
            if (method.GetCustomAttribute<FunctionAttribute>() is not { } function)
                continue;
            var triggers = method.GetParameters().Where(parameter => parameter.GetCustomAttribute<TriggerBindingAttribute>() is not null).ToList();
            if (triggers is [var trigger])
                found.Add(new FunctionMethod(function.Name, method, trigger, trigger.GetCustomAttribute<TriggerBindingAttribute>()!));
            else
                problems.Add($"function '{function.Name}' ({method.DeclaringType!.FullName}.{method.Name}) has {triggers.Count} trigger parameters, and needs exactly one");
        }
        problems.AddRange(found.GroupBy(function => function.Name, StringComparer.OrdinalIgnoreCase).Where(group => group.Count() > 1)
            .Select(group => $"the function name '{group.Key}' is used by {string.Join(" and ", group.Select(function => function.EntryPoint))}"));
        problems.AddRange(found.SelectMany(function => function.Problems()));
        return problems.Count == 0
            ? found
            : throw new InvalidOperationException($"{source} cannot be hosted: {string.Join("; ", problems)}.");
    }

    private IEnumerable<string> Problems()
    {
        if (Trigger is not (HttpTriggerAttribute or BlobTriggerAttribute or ServiceBusTriggerAttribute or OrchestrationTriggerAttribute or ActivityTriggerAttribute))
            yield return $"function '{Name}': the local host has no {Trigger.GetType().Name}";
        foreach (var parameter in Method.GetParameters())
        {
            if (parameter.GetCustomAttribute<InputBindingAttribute>() is { } binding and not DurableClientAttribute)
                yield return $"function '{Name}': the local host cannot bind parameter '{parameter.Name}' with {binding.GetType().Name}";
        }
    }
}
