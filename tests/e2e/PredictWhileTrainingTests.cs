using System.Text.Json.Nodes;

namespace Sdxl.EndToEnd.Tests;

/// <summary>A person who wants a picture does not wait for a training's end, and the training does not notice.</summary>
[Collection(SharedHostCollection.Name)]
public sealed class PredictWhileTrainingTests(SharedHost shared)
{
    private const int Steps = 60;

    [Fact]
    public async Task Pictures_are_drawn_between_the_steps_of_a_training_and_change_no_bit_of_it()
    {
        var host = shared.Host;
        var undisturbed = Short.Version(await host.EndOfTrainingAsync(await StartAsync()));
        var id = await StartAsync();
        await host.UntilAsync(id, t => t["progress"]?["step"]?.GetValue<int>() is > 0 and < Steps / 2, "its first steps");

        for (var i = 0; i < 2; i++)
            Assert.Equal("succeeded", (await host.DrawAsync("a photo of a creature"))["status"]!.GetValue<string>());

        // Drawn while it trained, not behind it.
        Assert.Equal("train", (await host.GetAsync(host.TrainingPath(id)))["stage"]!.GetValue<string>());
        Assert.Equal(undisturbed, Short.Version(await host.EndOfTrainingAsync(id)));

        async Task<string> StartAsync()
        {
            var answer = await host.PostAsync(
                Short.Dataset("gizmo.zip"),
                "gizmo.zip",
                Short.Training(Steps, ("name", "drawn-meanwhile"), ("checkpointing_steps", "20"))
            );
            return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["id"]!.GetValue<string>();
        }
    }
}
