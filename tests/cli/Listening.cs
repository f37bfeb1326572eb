using System.Net;

namespace Sdxl.Tests.Cli;

/// <summary>What the tests' HTTP servers share.</summary>
internal static class Listening
{
    /// <summary>Requests as they come, until the listener is closed.</summary>
    public static async IAsyncEnumerable<HttpListenerContext> RequestsAsync(this HttpListener listener)
    {
        while (listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                yield break; // closed
            }
            yield return context;
        }
    }
}
