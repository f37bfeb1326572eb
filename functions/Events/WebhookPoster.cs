using System.Net.Http.Headers;
using Sdxl.Functions.Http;

namespace Sdxl.Functions.Events;

/// <summary>A receiver did not take an event. The message says why, without the address's query.</summary>
public sealed class DeliveryFailedException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Posts signed messages to addresses that callers named.</summary>
public sealed class WebhookPoster(PublicWeb web, WebhookSecrets secrets, TimeProvider time)
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <param name="messageId">The same for every try of a message.</param>
    /// <exception cref="DeliveryFailedException">No answer, or one that is no 2xx.</exception>
    public async Task PostAsync(string owner, string url, string messageId, string contentType, byte[] body, CancellationToken cancel)
    {
        var address = new Uri(url);
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Sdxl.Serverless", "1"));
        foreach (var (name, value) in WebhookSignature.Headers(await secrets.KeysAsync(owner, cancel), messageId, time.GetUtcNow(), body))
            request.Headers.TryAddWithoutValidation(name, value);
        try
        {
            var status = (int)await web.PostAsync(request, Patience, cancel);
            if (status is < 200 or > 299)
                throw new DeliveryFailedException($"{PublicWeb.Shown(address)} answers {status}");
        }
        catch (Exception e) when (e is HttpRequestException or TimeoutException)
        {
            throw new DeliveryFailedException($"{PublicWeb.Shown(address)}: {e.Message}", e);
        }
    }
}
