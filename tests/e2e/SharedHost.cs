using System.Text.Json.Nodes;

using Sdxl.Tests;

namespace Sdxl.EndToEnd.Tests;

/// <summary>One host for all tests that do not kill it.</summary>
public sealed class SharedHost : IAsyncLifetime
{
    public LocalHostProcess Host { get; } = new();

    public Task InitializeAsync() => Host.StartAsync();

    public async Task DisposeAsync() => await Host.DisposeAsync();
}

[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SharedHostCollection : ICollectionFixture<SharedHost>
{
    public const string Name = "local host";
}

/// <summary>Inputs that make a training short.</summary>
public static class Short
{
    public static Dictionary<string, string> Training(int steps = 6, params (string Name, string Value)[] more)
    {
        var inputs = new Dictionary<string, string>
        {
            ["max_train_steps"] = steps.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["train_batch_size"] = "1",
            ["resolution"] = "64",
            ["lora_rank"] = "4",
            ["checkpointing_steps"] = "2",
            ["seed"] = "42",
        };
        foreach (var (name, value) in more)
            inputs[name] = value;
        return inputs;
    }

    /// <summary>The repository's own fixtures: these tests are about processes, not about what other fixtures hold.</summary>
    public static string Fixture(params string[] parts) => Path.Combine([TestPaths.Root, "tests", "fixtures", "shared", .. parts]);

    public static byte[] Dataset(string name) => File.ReadAllBytes(Fixture("datasets", name));

    public static string Version(JsonObject training) => training["output"]!["version"]!.GetValue<string>();

    /// <summary>How far a training is.</summary>
    public static int Order(JsonObject training) =>
        training["status"]!.GetValue<string>() is "succeeded" or "failed" or "canceled"
            ? int.MaxValue
            : Order(training["stage"]!.GetValue<string>());

    public static int Order(string stage) => Array.IndexOf(["queued", "unpack", "prepare", "manifest", "train", "publish", "done"], stage);
}
