using System.Diagnostics;
using Sdxl.Tests;

namespace Sdxl.EndToEnd.Tests;

/// <summary>Replicate's npm client, unmodified: nothing but the base address and the token is ours.</summary>
[Collection(SharedHostCollection.Name)]
public sealed class ReplicateClientTests(SharedHost shared)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(6);

    [Fact]
    public async Task It_sends_trains_waits_cancels_pages_through_lists_draws_and_trusts_the_webhooks_signature()
    {
        var host = shared.Host;
        var start = new ProcessStartInfo(
            "node",
            [
                Path.Combine(TestPaths.Root, "tests", "e2e", "replicate.cjs"),
                Path.Combine(TestPaths.Root, "tools", "npm", "node_modules", "replicate"),
                $"{host.Http.BaseAddress}v1",
                host.Http.DefaultRequestHeaders.Authorization!.Parameter!,
                Short.Fixture("datasets", "gizmo.zip"),
                "all",
            ]
        )
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var node = Process.Start(start)!;
        var (output, errors) = (node.StandardOutput.ReadToEndAsync(), node.StandardError.ReadToEndAsync());
        try
        {
            await node.WaitForExitAsync().WaitAsync(s_patience);
        }
        finally
        {
            if (!node.HasExited)
                node.Kill(entireProcessTree: true);
        }
        Assert.True(node.ExitCode == 0, $"{await output}\n{await errors}\n{host.Output}");
        Assert.Equal(
            ["model", "training", "cancel", "lists", "run", "webhook"],
            (await output)
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => System.Text.Json.Nodes.JsonNode.Parse(line)!["step"]!.ToString())
        );
    }
}
