using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;
using Sdxl.Core.Hosting;
using Sdxl.Functions.Hosting;

namespace Sdxl.Tests.Functions;

/// <summary>What `dotnet publish functions` gives is what Azure runs: its functions.metadata says what the code's attributes say.</summary>
public sealed class PublishTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("sdxl-publish-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task A_published_app_has_every_file_that_the_host_reads_and_every_function_of_the_code()
    {
        await Publish();

        foreach (var file in new[] { "host.json", "functions.metadata", "extensions.json", "worker.config.json", "Sdxl.Functions.dll" })
            Assert.True(File.Exists(Path.Combine(folder.FullName, file)), $"{file} is missing");
        Assert.True(
            Directory.EnumerateFiles(Path.Combine(folder.FullName, ".azurefunctions"), "*.dll").Any(),
            ".azurefunctions has none of the host's extensions"
        );
        Assert.Equal(Written(), Declared());
    }

    /// <summary>"NAME ENTRYPOINT TRIGGER QUEUE ROUTE METHODS" of each function.</summary>
    private List<string> Written()
    {
        using var metadata = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder.FullName, "functions.metadata")));
        return
        [
            .. metadata
                .RootElement.EnumerateArray()
                .Select(function =>
                {
                    var trigger = function
                        .GetProperty("bindings")
                        .EnumerateArray()
                        .Single(binding => Text(binding, "type").EndsWith("Trigger", StringComparison.Ordinal));
                    var methods = trigger.TryGetProperty("methods", out var list)
                        ? string.Join(',', list.EnumerateArray().Select(method => method.GetString()!.ToLowerInvariant()))
                        : "";
                    return Line(
                        Text(function, "name"),
                        Text(function, "entryPoint"),
                        Text(trigger, "type"),
                        Text(trigger, "queueName"),
                        Text(trigger, "connection"),
                        Text(trigger, "route"),
                        methods
                    );
                })
                .Order(StringComparer.Ordinal),
        ];
    }

    private static List<string> Declared() =>
        [
            .. (
                from type in typeof(SdxlOptions).Assembly.GetExportedTypes()
                from method in type.GetMethods(
                    BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly
                )
                let function = method.GetCustomAttribute<FunctionAttribute>()
                where function is not null
                let trigger = method
                    .GetParameters()
                    .Select(parameter => parameter.GetCustomAttribute<TriggerBindingAttribute>())
                    .Single(found => found is not null)
                select Line(
                    function.Name,
                    $"{type.FullName}.{method.Name}",
                    TypeOf(trigger),
                    (trigger as ServiceBusTriggerAttribute)?.QueueName ?? "",
                    (trigger as ServiceBusTriggerAttribute)?.Connection ?? "",
                    (trigger as HttpTriggerAttribute)?.Route ?? "",
                    string.Join(',', ((trigger as HttpTriggerAttribute)?.Methods ?? []).Select(name => name.ToLowerInvariant()))
                )
            ).Order(StringComparer.Ordinal),
        ];

    // "HttpTriggerAttribute" is written as "httpTrigger".
    private static string TypeOf(TriggerBindingAttribute trigger) =>
        trigger.GetType().Name is var name ? char.ToLowerInvariant(name[0]) + name[1..^"Attribute".Length] : "";

    private static string Line(params string[] words) => string.Join(' ', words);

    private static string Text(JsonElement from, string name) => from.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";

    private async Task Publish()
    {
        var start = new ProcessStartInfo(
            "dotnet",
            [
                "publish",
                Path.Combine(TestPaths.Root, "functions"),
                "--no-build",
                "-c",
                Repository.Configuration,
                "-o",
                folder.FullName,
                "-v",
                "quiet",
                "-nodeReuse:false",
            ]
        )
        {
            RedirectStandardOutput = true,
        };
        using var publish = Process.Start(start)!;
        var output = await publish.StandardOutput.ReadToEndAsync();
        await publish.WaitForExitAsync();
        Assert.True(publish.ExitCode == 0, output);
    }
}
