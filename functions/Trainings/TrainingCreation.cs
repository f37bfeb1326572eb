using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Options;
using Sdxl.Core.Faults;
using Sdxl.Core.Identity;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Http;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Versions;

namespace Sdxl.Functions.Trainings;

/// <summary>
/// Makes a training or a check of a POST, whichever route it came by: everything is checked before anything is stored, and the record is
/// there before the answer is.
/// </summary>
public sealed class TrainingCreation(
    TrainingStarter starter, ArchiveReceiver receiver, UsablePictures pictures, DatasetReuse reuse, RecordStore records,
    VersionStore versions, ParentVersions parents, BlobStore blobs, BaseCatalog bases, Repeats repeats, Addresses addresses,
    IOptions<SdxlOptions> options, TimeProvider time)
{
    /// <param name="wanted">How the route narrows what may be made.</param>
    /// <returns>The record, of now or of the same POST before; and what of the request has no effect.</returns>
    /// <exception cref="IntakeException">Everything that is wrong with it, with the status that fits.</exception>
    public async Task<(TrainingRecord Record, IReadOnlyList<string> Warnings)> CreateAsync(
        HttpRequest request, DurableTaskClient client, Wish wanted, CancellationToken cancel)
    {
        using var received = await receiver.ReceiveAsync(request, wanted.From, cancel);
        var caller = request.Owner();
        var id = repeats.IdOf(request, caller, await ContentAsync(received, cancel));
        var key = new JobKey(caller, id);
        if (await records.TrainingAsync(key, cancel) is { } made)
            return (made, received.Warnings);
        var parent = received.From is { } from ? await parents.FindAsync(from, caller, cancel) : null;
        var name = await DestinationAsync(received, parent, caller, wanted, cancel);
        var training = new TrainingRequest(
            id, caller, name, wanted.Base ?? received.Base ?? parent?.Manifest.Base ?? options.Value.DefaultBase,
            $"{StorageLayout.Datasets}/{StorageLayout.Dataset(key, $"archive/{received.ArchiveName}")}",
            received.Given.ToJsonString(), "http", wanted.CheckOnly,
            Data: received.Archive is null ? received.Data ?? parent!.Training : null,
            From: parent?.Name.ToString());
        if (received.Archive is { } archive)
        {
            using (var intake = ArchiveIntake.Open(archive, received.ArchiveName, training, bases, parent?.Manifest))
                pictures.RefuseIfNoneDecodes(intake, cancel);
            archive.Position = 0;
            await (await blobs.BlobAsync(training.Archive)).UploadAsync(archive, overwrite: true, cancel);
        }
        else
        {
            training = training with { GivenInputs = (await reuse.CheckAsync(training, parent?.Manifest, cancel)).ToJsonString() };
        }
        // The model is there from now on, if it was not before.
        if (!wanted.CheckOnly)
            await versions.CreateAsync(new ModelDocument(caller, name, []) { CreatedAt = time.GetUtcNow() }, cancel);
        var record = await starter.RecordAsync(training, addresses.RootOf(request), received.Webhook, cancel);
        FaultPoints.Hit(FaultPoints.AfterRecordBeforeStart);
        await starter.StartAsync(client, training, cancel);
        return (record, received.Warnings);
    }

    /// <summary>The name under which the version will be published.</summary>
    private async Task<string> DestinationAsync(
        ReceivedArchive received, ParentVersion? parent, string caller, Wish wanted, CancellationToken cancel)
    {
        var said = received.Destination;
        if (wanted.DestinationMustExist)
        {
            if (said is null || ModelName.TryParse(said, "", out _) is not { } destination)
            {
                throw Refuse("destination", 422,
                    $"'destination' is {(said is null ? "missing" : $"'{said}'")}; it must be owner/name of a model of yours.");
            }
            if (destination.Owner != caller || await versions.ModelAsync(caller, destination.Name, cancel) is null)
                throw Refuse("destination", 404, $"The destination '{said}' does not exist. Make the model first: POST v1/models.");
            return destination.Name;
        }
        if (said?.Split('/') is [var owner, _] && owner != caller)
            throw Refuse("owner", 403, $"'{owner}' is not yours: you are '{caller}'. Leave the owner out.");
        if (said is null && parent is not null)
            return parent.Name.Name; // its next version
        if (said is null && received.Data is { } data && JobId.IsValid(data)
            && await records.TrainingAsync(new JobKey(caller, data), cancel) is { } source)
            return source.Name; // the same pictures, the same model
        return ModelName.Slug(said ?? received.ArchiveName).Name;
    }

    /// <summary>What makes two requests the same one.</summary>
    private static async Task<string> ContentAsync(ReceivedArchive received, CancellationToken cancel)
    {
        var archive = "";
        if (received.Archive is { } stream)
        {
            archive = Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancel));
            stream.Position = 0;
        }
        return Repeats.HashOf(archive, received.Data, received.From, received.Given.ToJsonString(), received.Destination, received.Base);
    }

    private static IntakeException Refuse(string field, int status, string sentence) => new([new IntakeProblem(field, sentence, status)]);

    /// <param name="CheckOnly">Only the data set and its report.</param>
    /// <param name="DestinationMustExist">As Replicate's route has it: the model is there, and named owner/name.</param>
    /// <param name="Base">The base model that the route names; null: the request may.</param>
    /// <param name="From">The version to go on from that the route names; null: the request may.</param>
    public sealed record Wish(bool CheckOnly = false, bool DestinationMustExist = false, string? Base = null, string? From = null);
}
