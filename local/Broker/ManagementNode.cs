namespace Sdxl.Local.Broker;

/// <summary>
/// The node "QUEUE/$management": what goes by token or number instead of by a link. Requests name an operation and carry a map; answers
/// have a statusCode (200, 204 for nothing found, or an error's) and a map.
/// </summary>
internal sealed class ManagementNode(BrokerEngine engine, QueueAddress address, Action<AccessRights> require)
{
    private const int MaxPeek = 1000;

    private readonly QueueSettings queue = engine.Find(address.Queue);

    public async Task<AmqpMessage> HandleAsync(AmqpMessage request)
    {
        AmqpMessage response;
        ApplicationProperties properties = new();
        try
        {
            string operation = "";
            request.ApplicationProperties?.Map.TryGetValue("operation", out operation);
            var body = await RunAsync(operation ?? "", request.ValueBody?.Value as AmqpMap ?? new AmqpMap());
            response = AmqpMessage.Create(new AmqpValue { Value = body ?? new AmqpMap() });
            properties.Map["statusCode"] = body is null ? 204 : 200;
        }
        catch (Exception problem)
        {
            var error = BrokerErrors.ToError(problem);
            response = AmqpMessage.Create(new AmqpValue { Value = new AmqpMap() });
            properties.Map["statusCode"] = BrokerErrors.Status(error);
            properties.Map["statusDescription"] = error.Description;
            properties.Map["errorCondition"] = error.Condition;
        }
        response.ApplicationProperties = properties;
        return response;
    }

    /// <returns>Null: nothing found.</returns>
    private async Task<AmqpMap?> RunAsync(string operation, AmqpMap body)
    {
        var isSending = operation is "com.microsoft:schedule-message" or "com.microsoft:cancel-scheduled-message";
        require(isSending ? AccessRights.Send : AccessRights.Listen);
        switch (operation)
        {
            case "com.microsoft:renew-lock":
                var tokens = Get<Guid[]>(body, "lock-tokens");
                return Map("expirations", await engine.RunAsync(store => Array.ConvertAll(tokens, token => store.Renew(queue, token))));
            case "com.microsoft:schedule-message":
                var messages = Get<System.Collections.IEnumerable>(body, "messages").Cast<AmqpMap>()
                    .Select(entry => MessageBytes.Read(Get<ArraySegment<byte>>(entry, "message").ToArray())).ToList();
                // A duplicate gets a number too, which names nothing.
                var numbers = await engine.RunAsync(store => messages.ConvertAll(message => store.Add(queue, message) ?? 0));
                return Map("sequence-numbers", numbers.ToArray());
            case "com.microsoft:cancel-scheduled-message":
                var cancelled = Get<long[]>(body, "sequence-numbers");
                await engine.RunAsync(store => store.Cancel(queue, cancelled));
                return new AmqpMap();
            case "com.microsoft:peek-message":
                var from = Get<long>(body, "from-sequence-number");
                var count = Math.Min(Get<int>(body, "message-count"), MaxPeek);
                var peeked = await engine.RunAsync(store => store.Peek(address, from, count));
                var entries = peeked.ConvertAll(message => Map("message", MessageBytes.ToBinary(message)));
                return entries.Count == 0 ? null : Map("messages", entries);
            case "com.microsoft:receive-by-sequence-number":
                var wanted = Get<long[]>(body, "sequence-numbers");
                var removeNow = Get<uint>(body, "receiver-settle-mode") == 0;
                var taken = await engine.RunAsync(store => store.TakeDeferred(queue, address, wanted, removeNow));
                return Map("messages", taken.ConvertAll(message =>
                {
                    var entry = Map("message", MessageBytes.ToBinary(message));
                    entry[new MapKey("lock-token")] = message.Token ?? Guid.Empty;
                    return entry;
                }));
            case "com.microsoft:update-disposition":
                await SettleAsync(body);
                return new AmqpMap();
            default:
                throw BrokerErrors.NotOffered($"Operation '{operation}' on '{address.Queue}/$management'");
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
        var changes = MessageBytes.Properties(body[new MapKey("properties-to-modify")] as AmqpMap).ToList();
        if (body[new MapKey("deadletter-reason")] is { } reason)
            changes.Add(new(BrokerErrors.DeadLetterReason, reason));
        if (body[new MapKey("deadletter-description")] is { } description)
            changes.Add(new(BrokerErrors.DeadLetterDescription, description));
        var tokens = Get<Guid[]>(body, "lock-tokens");
        return engine.RunAsync(store => Array.ForEach(tokens, token => store.Settle(queue, token, disposition, changes)));
    }

    private static T Get<T>(AmqpMap map, string name) => map[new MapKey(name)] is T value
        ? value
        : throw new AmqpException(AmqpErrorCode.InvalidField, $"The request lacks '{name}', or it is not of the type {typeof(T).Name}.");

    private static AmqpMap Map(string name, object value) => new() { [new MapKey(name)] = value };
}
