using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Sdxl.Local.Durable;

namespace Sdxl.Local.Functions;

/// <summary>Hands orchestrator and activity functions to the durable engine.</summary>
internal static class DurableBinding
{
    public static DurableFunctions Register(IEnumerable<FunctionMethod> functions, Func<FunctionInvoker> invoker)
    {
        var registry = new DurableFunctions();
        foreach (var function in functions)
        {
            if (function.Trigger is OrchestrationTriggerAttribute orchestration)
                registry.AddOrchestrator(orchestration.Orchestration ?? function.Name, context => RunOrchestrator(function, context, invoker()));
            else if (function.Trigger is ActivityTriggerAttribute activity)
                registry.AddActivity(activity.Activity ?? function.Name, (call, stopping) => RunActivity(function, call, invoker(), stopping));
        }
        return registry;
    }

    private static Task<object?> RunOrchestrator(FunctionMethod function, TaskOrchestrationContext context, FunctionInvoker invoker)
    {
        // The Functions worker fills further parameters of an orchestrator with its input.
        var input = function.Method.GetParameters().FirstOrDefault(parameter =>
            parameter != function.TriggerParameter && parameter.ParameterType != typeof(FunctionContext) && parameter.ParameterType != typeof(CancellationToken));
        var data = new Dictionary<string, object?> { ["instanceId"] = context.InstanceId };
        if (input is not null)
            data[input.Name!] = GetInput(context, input.ParameterType);
        return invoker.Invoke(function, new Invocation { TriggerValue = _ => context, BindingData = data }, CancellationToken.None);
    }

    private static object? GetInput(TaskOrchestrationContext context, Type type) =>
        typeof(TaskOrchestrationContext).GetMethod(nameof(TaskOrchestrationContext.GetInput))!.MakeGenericMethod(type).Invoke(context, null);

    private static Task<object?> RunActivity(FunctionMethod function, ActivityCall call, FunctionInvoker invoker, CancellationToken stopping) =>
        invoker.Invoke(
            function,
            new Invocation
            {
                // The real worker hands the context of an activity without input as the trigger's value, too: both spellings are in use.
                TriggerValue = type => type == typeof(TaskActivityContext) ? new CallContext(call) : call.ReadInput(type),
                BindingData = new Dictionary<string, object?> { ["instanceId"] = call.InstanceId },
            },
            stopping);

    private sealed class CallContext(ActivityCall call) : TaskActivityContext
    {
        public override TaskName Name => call.Name;

        public override string InstanceId => call.InstanceId;
    }
}
