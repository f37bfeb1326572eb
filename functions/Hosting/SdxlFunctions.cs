using Azure.Core;
using Azure.Identity;
using Azure.Messaging.ServiceBus;
using Azure.Storage.Blobs;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Sdxl.Core.Bases;
using Sdxl.Core.Settings;
using Sdxl.Functions.Storage;
using Sdxl.Vision;
using Sdxl.Vision.Models;
using Sdxl.Pictures;

namespace Sdxl.Functions.Hosting;

/// <summary>Everything the functions need, registered once.</summary>
public static class SdxlFunctions
{
    /// <inheritdoc cref="Connections.Storage"/>
    public const string StorageConnection = Connections.Storage;

    /// <inheritdoc cref="Connections.ServiceBus"/>
    public const string ServiceBusConnection = Connections.ServiceBus;

    /// <summary>Registers clients (unless the caller has registered its own), stores and the preprocessing models.</summary>
    public static IServiceCollection AddSdxlFunctions(this IServiceCollection services, IConfiguration configuration)
    {
        services.Configure<SdxlOptions>(configuration.GetSection(SdxlOptions.Section));
        // Archives are larger than the 30 MB that Kestrel takes by itself; each route has its own limit and its own sentence for what is
        // over it.
        services.AddOptions<KestrelServerOptions>().Configure<IOptions<SdxlOptions>>((kestrel, sdxl) =>
            kestrel.Limits.MaxRequestBodySize = sdxl.Value.MaxBodyBytes);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<TokenCredential>(_ => new DefaultAzureCredential());
        services.TryAddSingleton(provider => Connections.Connect(
            name => configuration[name], StorageConnection,
            text => new BlobServiceClient(text),
            uri => new BlobServiceClient(new Uri(uri), provider.GetRequiredService<TokenCredential>())));
        services.TryAddSingleton(provider => Connections.Connect(
            name => configuration[name], ServiceBusConnection,
            text => new ServiceBusClient(text),
            name => new ServiceBusClient(name, provider.GetRequiredService<TokenCredential>())));
        services.AddSingleton<BlobStore>();
        services.AddSingleton<RecordStore>();
        services.AddSingleton<RecordChanges>();
        services.AddSingleton<IMessageQueues, QueueSender>();
        services.AddSingleton<Jobs.JobEnds>();
        services.AddSingleton<Jobs.Outages>();
        services.AddSingleton(provider => new BaseCatalog(provider.GetRequiredService<IOptions<SdxlOptions>>().Value));
        services.AddSingleton<PreparerPool>();
        services.AddSingleton(new PictureLoader(new PictureLimits()));
        services.AddSingleton<Trainings.TrainingStarter>();
        services.AddSingleton<Trainings.TrainingViews>();
        services.AddSingleton<Trainings.TrainingLogs>();
        services.AddSingleton(provider => new Http.Coalesced<Trainings.TrainingView?>(
            provider.GetRequiredService<TimeProvider>(), TimeSpan.FromMilliseconds(250)));
        services.AddSingleton<Trainings.TrainingCreation>();
        services.AddSingleton<Trainings.DatasetReuse>();
        services.AddSingleton<Trainings.ParentVersions>();
        services.AddSingleton<Trainings.TrainingQueue>();
        services.AddSingleton<Trainings.Quotes>();
        services.AddSingleton<Trainings.PictureMaker>();
        services.AddSingleton<Trainings.PreparedDocuments>();
        services.AddSingleton<Trainings.Reports>();
        services.AddSingleton<Trainings.PictureEdits>();
        services.AddSingleton<Http.Repeats>();
        services.AddSingleton<Trainings.ArchiveReceiver>();
        services.AddSingleton<Trainings.UsablePictures>();
        services.AddSingleton<Http.Addresses>();
        services.AddSingleton<Http.Paging>();
        services.AddSingleton<Accounts.TokenStore>();
        services.AddSingleton<Http.PublicWeb>();
        services.AddSingleton<Http.InputFiles>();
        services.AddSingleton<Events.Subscriptions>();
        services.AddSingleton<Events.WebhookSecrets>();
        services.AddSingleton<Events.WebhookPoster>();
        services.AddSingleton(provider => new Events.EventGridTopic(
            provider.GetRequiredService<IOptions<SdxlOptions>>(), provider.GetRequiredService<TokenCredential>()));
        services.AddSingleton<Events.EventReceivers>();
        services.AddSingleton<Events.JobStories>();
        services.AddSingleton<Events.EventDelivery>();
        services.AddSingleton<Events.EventStreams>();
        services.AddSingleton<Predictions.PredictionReceiver>();
        services.AddSingleton<Predictions.PredictionIntake>();
        services.AddSingleton<Predictions.PredictionProgress>();
        services.AddSingleton<Predictions.PredictionViews>();
        services.AddSingleton<Versions.VersionStore>();
        services.AddSingleton<Versions.VersionCopies>();
        services.AddSingleton<Page.PageFiles>();
        services.AddSingleton<Page.PageAnswers>();
        services.AddSingleton<Page.SessionCookies>();
        services.AddSingleton<Versions.BaseModels>();
        services.AddSingleton<Versions.ModelViews>();
        services.AddSingleton<Files.FileLinks>();
        services.AddSingleton<Files.FileStore>();
        services.AddSingleton<Files.BlobAnswers>();
        services.AddSingleton<Retention.Deletion>();
        services.AddSingleton<Retention.Sweep>();
        return services;
    }
}

/// <summary>The base models this deployment offers.</summary>
public sealed class BaseCatalog(SdxlOptions options)
{
    /// <exception cref="BaseNotFoundException">No such base; the message lists those that are there.</exception>
    public BaseManifest Get(string? name) =>
        BaseManifest.Load(Path.GetFullPath(options.ModelsFolder), string.IsNullOrWhiteSpace(name) ? options.DefaultBase : name);

    /// <summary>Refuses a job whose files are not complete, as far as they lie here.</summary>
    /// <exception cref="BaseIncompleteException">The message names them and the command that brings them.</exception>
    public void Require(BaseManifest baseModel, BaseParts parts) =>
        baseModel.Require(options.NetsAreHere ? parts : parts & (BaseParts.Captioner | BaseParts.WordMasks | BaseParts.FaceMasks));
}

/// <summary>Preprocessing models, loaded once a base and shared by all activities of the process.</summary>
public sealed class PreparerPool : IDisposable
{
    private readonly Dictionary<string, (VisionModels Models, PicturePreparer Preparer)> _byFolder = [];
    private readonly Lock _lock = new();

    public PicturePreparer For(BaseManifest baseModel)
    {
        lock (_lock)
        {
            if (!_byFolder.TryGetValue(baseModel.VisionFolder, out var entry))
            {
                var models = new VisionModels(baseModel.VisionFolder, new VisionOptions());
                entry = _byFolder[baseModel.VisionFolder] = (models, new PicturePreparer(models));
            }
            return entry.Preparer;
        }
    }

    public void Dispose()
    {
        foreach (var (models, preparer) in _byFolder.Values)
        {
            preparer.Dispose();
            models.Dispose();
        }
    }
}
