using System.Collections;

namespace Sdxl.Local.Broker;

/// <summary>The node "QUEUE/$management": what goes by token or number instead of by a link. Status 204: nothing found.</summary>
internal sealed class ManagementNode(BrokerEngine engine, QueueAddress address, Action<AccessRights> require)
{
    private const int MaxPeek = 1000;

    /// <summary>A <see cref="RequestHandler"/>.</summary>
    public async Task<(int Status, AmqpMap? Body)> RunAsync(Func<string, string> property, object? body)
    {
        var operation = property("operation");
        var isSending = operation is "com.microsoft:schedule-message" or "com.microsoft:cancel-scheduled-message";
        require(isSending ? AccessRights.Send : AccessRights.Listen);
        var answer = await RunAsync(operation, body as AmqpMap ?? new AmqpMap());
        return (answer is null ? 204 : 200, answer);
    }

    private async Task<AmqpMap?> RunAsync(string operation, AmqpMap body)
    {
        var queue = address.Queue;
        switch (operation)
        {
            case "com.microsoft:renew-lock":
                var tokens = Get<Guid[]>(body, "lock-tokens");
                return Map("expirations", await engine.RunAsync(store => Array.ConvertAll(tokens, token => store.Renew(queue, token))));
            case "com.microsoft:schedule-message":
                var messages = Get<IEnumerable>(body, "messages").Cast<AmqpMap>()
                    .Select(entry => MessageBytes.Read(Get<ArraySegment<byte>>(entry, "message").ToArray())).ToList();
                // A duplicate gets a number too, which names nothing.
                var numbers = await engine.RunAsync(store => messages.ConvertAll(message => store.Add(queue, message) ?? 0));
                return Map("sequence-numbers", numbers.ToArray());
            case "com.microsoft:cancel-scheduled-message":
                var cancelled = Get<long[]>(body, "sequence-numbers");
                await engine.RunAsync(store => Array.ForEach(cancelled, number => store.Cancel(queue, number)));
                return new AmqpMap();
            case "com.microsoft:peek-message":
                var (from, count) = (Get<long>(body, "from-sequence-number"), Math.Min(Get<int>(body, "message-count"), MaxPeek));
                var peeked = await engine.RunAsync(store => store.Peek(address, from, count));
                return peeked.Count == 0 ? null : Map("messages", peeked.ConvertAll(one => Map("message", MessageBytes.ToBinary(one))));
            case "com.microsoft:receive-by-sequence-number":
                var (wanted, removeNow) = (Get<long[]>(body, "sequence-numbers"), Get<uint>(body, "receiver-settle-mode") == 0);
                var taken = await engine.RunAsync(
                    store => Array.ConvertAll(wanted, number => store.TakeDeferred(address, number, removeNow)).ToList());
                return Map("messages", taken.ConvertAll(
                    one => Map("message", MessageBytes.ToBinary(one), "lock-token", one.Token ?? Guid.Empty)));
            case "com.microsoft:update-disposition":
                await SettleAsync(body);
                return new AmqpMap();
            default:
                throw BrokerErrors.NotOffered($"Operation '{operation}' on '{queue}/$management'");
        }
    }

    private Task SettleAsync(AmqpMap body)
    {
        var disposition = Get<string>(body, "disposition-status") switch
        {
            "completed" => Disposition.Complete,
            "abandoned" => Disposition.Abandon,
            "defered" => Disposition.Defer, // So spelt.
            "suspended" => Disposition.Bury,
            var other => throw BrokerErrors.NotOffered($"Disposition '{other}'"),
        };
        var changes = MessageBytes.Properties(body[new MapKey("properties-to-modify")] as AmqpMap);
        if (body[new MapKey("deadletter-reason")] is { } reason)
            changes[BrokerErrors.DeadLetterReason] = reason;
        if (body[new MapKey("deadletter-description")] is { } description)
            changes[BrokerErrors.DeadLetterDescription] = description;
        var tokens = Get<Guid[]>(body, "lock-tokens");
        return engine.RunAsync(store => Array.ForEach(tokens, token => store.Settle(address.Queue, token, disposition, changes)));
    }

    private static T Get<T>(AmqpMap map, string name) => map[new MapKey(name)] is T value
        ? value
        : throw new AmqpException(AmqpErrorCode.InvalidField, $"The request lacks '{name}', or it is not of the type {typeof(T).Name}.");

    private static AmqpMap Map(string name, object value) => new() { [new MapKey(name)] = value };

    private static AmqpMap Map(string name, object value, string other, object otherValue) =>
        new() { [new MapKey(name)] = value, [new MapKey(other)] = otherValue };
}
