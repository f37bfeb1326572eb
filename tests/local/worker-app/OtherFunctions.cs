using System.Globalization;
using Microsoft.Azure.Functions.Worker;

namespace WorkerApp;

public sealed class OtherFunctions
{
    [Function("Tick")]
    public void Tick([TimerTrigger("%TickSchedule%")] TimerInfo timer) =>
        Signals.Set("tick", timer.ScheduleStatus!.Next.ToString("O", CultureInfo.InvariantCulture));

    /// <summary>Fails where the body asks for it.</summary>
    [Function("Receive")]
    public void Receive(
        [ServiceBusTrigger("%Queue%", Connection = "TestBus")] string body, string messageId, int deliveryCount, FunctionContext context)
    {
        Signals.Set($"received-{messageId}-{deliveryCount}", $"{body} {context.BindingContext.BindingData["ApplicationProperties"]}");
        if (body == "fail" || (body == "fail once" && deliveryCount == 1))
            throw new InvalidOperationException($"delivery {deliveryCount} fails");
    }

    [Function("Bury")]
    public void Bury(
        [ServiceBusTrigger("%Queue%/$deadletterqueue", Connection = "TestBus")] string body, string messageId, string deadLetterReason,
        string deadLetterErrorDescription) =>
        Signals.Set("buried-" + messageId, $"{body}: {deadLetterReason}, {deadLetterErrorDescription}");

    [Function("Unconnected")]
    public void Unconnected([ServiceBusTrigger("nowhere", Connection = "MissingSetting")] string body) =>
        throw new InvalidOperationException(body);
}
