using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Sdxl.Core.Identity;
using Sdxl.Core.Inputs;
using Sdxl.Core.Jobs;
using Sdxl.Core.Messages;
using Sdxl.Core.Predictions;
using Sdxl.Core.Records;
using Sdxl.Core.Storage;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Http;
using Sdxl.Functions.Versions;

namespace Sdxl.Functions.Predictions;

/// <summary>Makes a prediction's record of its POST, with the worker's message in it.</summary>
public sealed class PredictionIntake(PredictionReceiver receiver, VersionStore versions, BaseModels baseModels, BaseCatalog bases,
    IOptions<SdxlOptions> options, TimeProvider time)
{
    /// <param name="reference">The version to draw with, over what the body says; null: the body says it.</param>
    /// <param name="root">Where the caller reaches this service.</param>
    /// <returns>null where there is no such version.</returns>
    /// <exception cref="IntakeException">The body or its files cannot be used.</exception>
    /// <exception cref="InputException">An input is out of range.</exception>
    public async Task<(PredictionRecord? Record, string? Reference)> ReadAsync(
        HttpRequest request, JobKey key, string? reference, string root, CancellationToken cancel)
    {
        var received = await receiver.ReceiveAsync(request, cancel);
        reference ??= received.Version;
        var known = reference is null ? null : baseModels.FindReference(reference);
        var version = reference is null || known is not null ? null : await versions.FindAsync(reference, key.Owner, cancel);
        if (reference is not null && known is null && version is null)
            return (null, reference);
        if (version is not null && received.Base is { } asked && asked != version.Base)
        {
            throw new InputException([new InputProblem(
                "base",
                $"Version '{reference}' was trained on base model '{version.Base}', not '{asked}', and draws with that. "
                    + $"Leave 'base' out, or choose a version of '{asked}'.")]);
        }
        var baseModel = known?.Manifest ?? bases.Get(version?.Base ?? received.Base);
        var inputs = PredictionInputs.Read(received.Input, baseModel, key.Id, besideVersion: version is not null);
        bases.Require(baseModel, inputs.Needs());
        inputs = await receiver.StoreAsync(key, inputs, received, request, cancel);
        var now = time.GetUtcNow();
        var weights = version is null ? null : StorageLayout.VersionPrefix(version.Owner, version.Name, version.Version);
        var job = new PredictionJob(key, baseModel.Name, weights, inputs,
            received.Webhook?.Filter.Contains(Core.Events.WebhookRequest.Logs) == true);
        return (new PredictionRecord
        {
            Id = key.Id,
            Owner = key.Owner,
            Base = baseModel.Name,
            Version = version is null ? null : $"{version.Owner}/{version.Name}:{version.Version}",
            Status = JobStatus.Starting,
            Input = PredictionReceiver.Echo(received, inputs),
            Warnings = received.Warnings,
            CreatedAt = now,
            Root = root,
            Webhook = received.Webhook,
            StreamSecret = received.Stream || IsJavaScript(request) ? RandomNumberGenerator.GetHexString(40, lowercase: true) : null,
            Outbox =
            [
                OutboxMessage.Of(Queues.Predictions, job.MessageId, job),
                OutboxMessage.Of<EventMessage>(
                    Queues.Events, $"due/{key}", new PredictionDue(key), now.AddHours(options.Value.MaxPredictionHours)),
            ],
        }, reference);
    }

    /// <remarks>Its stream() asks for a stream without saying so. The command line takes any offer of one for text.</remarks>
    private static bool IsJavaScript(HttpRequest request) =>
        request.Headers.UserAgent.ToString().StartsWith("replicate-javascript/", StringComparison.OrdinalIgnoreCase);
}
