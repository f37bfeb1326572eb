using Microsoft.Azure.Amqp;
using Sdxl.Local.Broker;

namespace Sdxl.Local.Tests.Broker;

public sealed class SharedAccessSignatureTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly AccessKey Key = new(
        "root", "a secret that is long enough", new Dictionary<string, AccessRights> { ["jobs"] = AccessRights.Listen });
    private static readonly string Token = Tokens.Create(Key, "amqps://host/jobs", Now.AddMinutes(5));

    [Theory]
    [InlineData("amqp://host/jobs")]
    [InlineData("amqp://HOST/Jobs/$management")]
    [InlineData("sb://host/jobs/$DeadLetterQueue/")]
    public void It_holds_for_its_entity_and_all_below_whatever_the_scheme(string audience) =>
        Assert.Equal((AccessRights.Listen, Now.AddMinutes(5)), SharedAccessSignature.Check(Token, new Uri(audience), [Key], Now));

    [Theory]
    [InlineData("amqp://host/jobs2")]
    [InlineData("amqp://host/")]
    [InlineData("amqp://host/jobs/../other")]
    [InlineData("amqp://elsewhere/jobs")]
    public void It_holds_for_nothing_else(string audience) =>
        Assert.Contains("not for", Refusal(Token, audience, Now), StringComparison.Ordinal);

    [Fact]
    public void It_ends_to_the_second()
    {
        SharedAccessSignature.Check(Token, new Uri("amqp://host/jobs"), [Key], Now.AddMinutes(5).AddTicks(-1));

        var refusal = Refusal(Token, "amqp://host/jobs", Now.AddMinutes(5));
        Assert.Contains("it ended at 2026-01-01 12:05:00Z", refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("SharedAccessSignature ")]
    [InlineData("SharedAccessSignature sr=amqp%3A%2F%2Fhost&sig=AAAA&skn=root")]
    [InlineData("SharedAccessSignature sr=amqp%3A%2F%2Fhost&sig=AAAA&se=-1&skn=root")]
    [InlineData("SharedAccessSignature sr=amqp%3A%2F%2Fhost&sig=AAAA&se=99999999999999999&skn=root")]
    [InlineData("SharedAccessSignature sr=jobs&sig=AAAA&se=4000000000&skn=root")]
    [InlineData("Bearer eyJ0eXAi")]
    public void What_is_no_signature_is_refused_as_such(string token) =>
        Assert.Contains("not of the form", Refusal(token, "amqp://host/jobs", Now), StringComparison.Ordinal);

    [Theory]
    [InlineData("sr=amqps%3A%2F%2Fhost%2Fjobs", "sr=amqps%3A%2F%2Fhost%2F")]
    [InlineData("se=1767269100", "se=1767999999")]
    [InlineData("skn=root", "skn=other")]
    [InlineData("sig=", "sig=A")]
    public void A_part_that_was_changed_spoils_it(string part, string changed)
    {
        var forged = Token.Replace(part, changed, StringComparison.Ordinal);
        Assert.NotEqual(Token, forged);

        Assert.Contains("is unknown or its secret is another one", Refusal(forged, "amqp://host/jobs", Now), StringComparison.Ordinal);
    }

    private static string Refusal(string token, string audience, DateTimeOffset now) =>
        Assert.Throws<AmqpException>(() => SharedAccessSignature.Check(token, new Uri(audience), [Key], now)).Message;
}
