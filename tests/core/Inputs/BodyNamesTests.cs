using System.Text.Json.Nodes;
using Sdxl.Core.Inputs;
using Sdxl.Core.Predictions;
using Sdxl.Core.Trainings;

namespace Sdxl.Tests.Core.Inputs;

public sealed class BodyNamesTests
{
    private static readonly string[] s_prediction = ["version", "base", "input"];
    private static readonly string[] s_training = ["input", "name", "owner", "base", "destination"];

    [Fact]
    public void D02_what_replicates_clients_send_is_taken_and_what_has_no_effect_is_said()
    {
        Assert.Equal(
            ["'webhook' has no effect here: ask for the state at urls.get.",
                "'webhook_events_filter' has no effect here: ask for the state at urls.get."],
            BodyNames.RefuseUnknown(Body("d02-replicate-fields.json"), s_prediction, PredictionInputs.Fields));
        Assert.Equal(2, BodyNames.RefuseUnknown(Body("d02-replicate-training.json"), s_training, TrainingInputs.Fields).Count);
        Assert.Empty(BodyNames.RefuseUnknown(new JsonObject { ["version"] = "x", ["stream"] = false, ["webhook"] = null,
            ["input"] = new JsonObject() }, s_prediction, PredictionInputs.Fields));
    }

    [Theory]
    [InlineData("verison", "The body has 'verison', which is not known beside 'input'. Did you mean 'version'?")]
    [InlineData("model", "The body has 'model', which is not known beside 'input'. Known: version, base, input.")]
    [InlineData("prompt", "'prompt' is an input: it belongs into the object 'input', {\"input\": {\"prompt\": …}}.")]
    public void Anything_else_is_named_with_what_may_be_meant(string name, string sentence)
    {
        var refused = Assert.Throws<InputException>(() =>
            BodyNames.RefuseUnknown(new JsonObject { [name] = "x", ["input"] = new JsonObject() },
            s_prediction, PredictionInputs.Fields));
        Assert.Equal(sentence, Assert.Single(refused.Problems).Sentence);
    }

    private static JsonObject Body(string name) => JsonNode.Parse(File.ReadAllText(TestPaths.Fixture("reports", name)))!.AsObject();
}
