using System.Text.Json.Nodes;
using Sdxl.Cli.Api;

namespace Sdxl.Cli.Predictions;

/// <summary>Draws pictures through the host's API.</summary>
internal sealed class Drawing(ApiClient api)
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(300);

    /// <param name="requests">Version (null: the base model alone), base model and input of each prediction; they run one after another on
    /// the worker.</param>
    /// <param name="done">Called with the number of finished predictions.</param>
    /// <param name="progressed">Called with a prediction that has got on.</param>
    /// <returns>The finished predictions, in the order asked.</returns>
    public async Task<IReadOnlyList<PredictionView>> DrawAsync(
        IReadOnlyList<(string? Version, string? Base, JsonObject Input)> requests,
        Action<int> done,
        Action<PredictionView> progressed,
        CancellationToken cancel
    )
    {
        var predictions = new List<PredictionView>();
        try
        {
            foreach (var (version, baseModel, input) in requests)
            {
                var (texts, files) = LocalFiles.Split(input);
                predictions.Add(await api.CreatePredictionAsync(version, baseModel, texts, files, cancel));
            }
            for (var i = 0; i < predictions.Count; i++)
            {
                while (!predictions[i].IsOver)
                {
                    await Task.Delay(PollEvery, cancel);
                    var before = predictions[i].Step;
                    predictions[i] = await api.PredictionAsync(predictions[i].Id, cancel);
                    if (predictions[i].Step > before)
                        progressed(predictions[i]);
                }
                if (predictions[i].Status != "succeeded")
                    throw new CliException(predictions[i].Error ?? $"Prediction {predictions[i].Id} was {predictions[i].Status}.");
                done(i + 1);
            }
            return predictions;
        }
        catch
        {
            await CancelAsync(predictions.Where(prediction => !prediction.IsOver));
            throw;
        }
    }

    private async Task CancelAsync(IEnumerable<PredictionView> predictions)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        foreach (var prediction in predictions)
        {
            try
            {
                await api.CancelPredictionAsync(prediction.Id, patience.Token);
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                return; // the host is gone: nothing is left to cancel
            }
        }
    }
}
