namespace Sdxl.Local.Broker;

/// <summary>The node "$cbs" (claims-based security): clients put a token there for each entity before they attach a link to it.</summary>
internal sealed class CbsNode(Claims claims, ILogger logger)
{
    public const string Address = "$cbs";

    public Task<AmqpMessage> HandleAsync(AmqpMessage request)
    {
        var (status, description) = (202, "Accepted");
        var audience = "";
        try
        {
            var properties = (request.ApplicationProperties ?? new ApplicationProperties()).Map;
            string Text(string name) => properties.TryGetValue<object>(name, out var value) ? value?.ToString() ?? "" : "";
            audience = Text("name");
            if (Text("operation") != "put-token" || Text("type") != "servicebus.windows.net:sastoken")
                throw BrokerErrors.NotOffered($"'{Text("operation")}' of a token of type '{Text("type")}' (only shared access signatures)");
            claims.Add(audience, request.ValueBody?.Value as string ?? "");
        }
        catch (Exception problem)
        {
            var error = BrokerErrors.ToError(problem);
            (status, description) = (BrokerErrors.Status(error), error.Description);
            logger.TokenRefused(audience, description);
        }
        var response = AmqpMessage.Create(new AmqpValue { Value = null });
        response.ApplicationProperties = new ApplicationProperties();
        response.ApplicationProperties.Map["status-code"] = status;
        response.ApplicationProperties.Map["status-description"] = description;
        return Task.FromResult(response);
    }
}
