using System.Reflection;
using System.Text.RegularExpressions;
using Sdxl.Core.Messages;
using Sdxl.Core.Storage;

namespace Sdxl.Tests.Infra.Names;

/// <summary>What the code asks of Azure, read from the code: names by reflection, the rest from its text.</summary>
internal static partial class CodeFacts
{
    public static IReadOnlyList<string> Containers => StorageLayout.Containers;

    /// <summary>The queues themselves: a dead-letter queue comes with its own.</summary>
    public static IReadOnlyList<string> QueueNames => [.. Constants.Values.Select(name => name.Split('/')[0]).Distinct()];

    /// <summary>Options that the functions read from the section Sdxl.</summary>
    public static IReadOnlyList<string> FunctionsOptions =>
    [
        .. Options("functions/Hosting/SdxlOptions.cs", of: "SdxlOptions").Except(["Retention", "EventGrid"]),
        .. Options("functions/Hosting/SdxlOptions.cs", of: "EventGridOptions").Select(option => $"EventGrid__{option}"),
        .. Options("functions/Retention/RetentionOptions.cs").Select(option => $"Retention__{option}"),
    ];

    /// <summary>Options that the worker reads.</summary>
    public static IReadOnlyList<string> WorkerOptions => Options("gpu-worker/Hosting/WorkerOptions.cs");

    /// <summary>(who, queue, does): what the two programs do with the queues.</summary>
    public static IReadOnlyList<(string Who, string Queue, string Does)> QueueUses =>
    [
        .. Uses("functions", @"ServiceBusTrigger\(\s*Queues\.(?<name>\w+)").Select(queue => ("functions", queue, "receives")),
        .. Uses("functions", @"(?<!ServiceBusTrigger\(\s*)(?<!\{)Queues\.(?<name>[A-Z]\w+)").Select(queue => ("functions", queue, "sends")),
        .. Uses("gpu-worker", @"CreateReceiver\(\s*Queues\.(?<name>\w+)").Select(queue => ("worker", queue, "receives")),
        // A job that is given back is sent again, into the queue that it came from.
        .. Uses("gpu-worker", @"CreateReceiver\(\s*Queues\.(?<name>\w+)").Where(_ => SendsBack).Select(queue => ("worker", queue, "sends")),
        .. Uses("gpu-worker", @"(SendAsync|CreateSender)\(\s*Queues\.(?<name>\w+)").Select(queue => ("worker", queue, "sends")),
    ];

    private static bool SendsBack =>
        File.ReadAllText(Path.Combine(TestPaths.Root, "gpu-worker", "Jobs", "Deliveries.cs"))
            .Contains("CreateSender(queue.EntityPath)", StringComparison.Ordinal);

    private static Dictionary<string, string> Constants => typeof(Queues).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Where(constant => constant.IsLiteral).ToDictionary(constant => constant.Name, constant => (string)constant.GetRawConstantValue()!);

    private static IEnumerable<string> Uses(string room, string pattern) =>
        Directory.EnumerateFiles(Path.Combine(TestPaths.Root, room), "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
        .SelectMany(file => Regex.Matches(File.ReadAllText(file), pattern))
        .Select(match => Constants[match.Groups["name"].Value].Split('/')[0]).Distinct();

    /// <param name="of">The class, where the file has several.</param>
    private static IReadOnlyList<string> Options(string file, string of = "") =>
    [
        .. Property().Matches(File.ReadAllText(Path.Combine(TestPaths.Root, file)).Split("public sealed class ")
            .Single(part => part.StartsWith(of, StringComparison.Ordinal)
            && part.Contains("{ get; set; }", StringComparison.Ordinal))).Select(match => match.Groups["name"].Value),
    ];

    [GeneratedRegex(@"public [\w?<>\[\]]+ (?<name>\w+) \{ get; set; \}")]
    private static partial Regex Property();
}
