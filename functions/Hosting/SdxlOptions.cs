using Sdxl.Functions.Retention;

namespace Sdxl.Functions.Hosting;

/// <summary>Settings of the app (configuration section "Sdxl").</summary>
public sealed class SdxlOptions
{
    public const string Section = "Sdxl";

    /// <summary>Folder with the manifests and the preprocessing models.</summary>
    public string ModelsFolder { get; set; } = "models";

    /// <summary>
    /// The models folder is the worker's too (one machine, a shared mount): a job whose base model lacks nets is refused at once.
    /// false: only the worker has the nets, and it is the one that looks. The preprocessing models are this app's own and looked for in
    /// either case.
    /// </summary>
    public bool NetsAreHere { get; set; }

    /// <summary>Base model for trainings that name none.</summary>
    public string DefaultBase { get; set; } = "sdxl";

    /// <summary>Owner of models whose upload names none, and of the token in <see cref="OwnerTokenSha256"/>.</summary>
    public string Owner { get; set; } = "me";

    /// <summary>
    /// SHA-256 (64 hex characters) of the owner's token, which may do everything and makes the others (POST v1/tokens). Empty: only tokens
    /// in storage count. Nothing turns tokens off.
    /// </summary>
    public string OwnerTokenSha256 { get; set; } = "";

    /// <summary>
    /// Signs the links to files, which then lead to this app: base64 of 32 random bytes. Empty: links lead to blob storage, signed with a
    /// user delegation key of the app's identity.
    /// </summary>
    public string SigningKey { get; set; } = "";

    /// <summary>How long such a link is worth something, hours.</summary>
    public int LinkHours { get; set; } = 24;

    /// <summary>How long things are kept.</summary>
    public RetentionOptions Retention { get; set; } = new();

    /// <summary>What an hour of a worker costs, for quotes; null: nothing is said.</summary>
    public double? PricePerHour { get; set; }

    /// <summary>Of that price.</summary>
    public string Currency { get; set; } = "USD";

    /// <summary>Where clients reach the app, for links; empty: the request's own host.</summary>
    public string PublicUrl { get; set; } = "";

    /// <summary>
    /// Largest archive, bytes; the blob way and HTTP alike. Also the most that a prediction's file (weights, picture) may have that is sent
    /// or fetched.
    /// </summary>
    public long MaxArchiveBytes { get; set; } = 250L << 20;

    /// <summary>Largest file that a data URI may hold, bytes: unlike a file that is sent, it lies in memory several times over while its
    /// request is read.</summary>
    public long MaxDataUriBytes { get; set; } = 32L << 20;

    /// <summary>Largest body of JSON, bytes: three files in base64 and some text.</summary>
    public long MaxJsonBytes => (4 * MaxDataUriBytes) + (1L << 20);

    /// <summary>
    /// Largest body of a request, bytes: a prediction's weights, picture and mask may have that size each, and a form has some text around
    /// them.
    /// </summary>
    public long MaxBodyBytes => (3 * MaxArchiveBytes) + (8L << 20);

    /// <summary>
    /// Hosts that inputs may name although they are not on the public internet, comma-separated, each "name" or "name:port" (the address,
    /// where the link has that). Whoever may POST can then read what they serve to this app.
    /// </summary>
    public string TrustedHosts { get; set; } = "";

    /// <summary>
    /// Seconds between two looks at a training whose worker has not answered: an event that got lost is made up for after that. As long
    /// after its making a training is started whose request died before it had.
    /// </summary>
    public int HeartbeatCheckSeconds { get; set; } = 180;

    /// <summary>Pictures of one training that are prepared at a time, so that a large one does not hold back others.</summary>
    public int PicturesAtOnce { get; set; } = 8;

    /// <summary>
    /// Pictures in the answer of a request that waits for them (Prefer: wait) are data URIs where clients reach this app by plain http:
    /// Replicate's JavaScript client makes files of https: and data: only. Everywhere else they are links.
    /// </summary>
    public bool DataOutputOnHttp { get; set; } = true;

    /// <summary>A prediction that no worker has drawn for this long fails.</summary>
    public double MaxPredictionHours { get; set; } = 24;

    /// <summary>A topic that all events are published to.</summary>
    public EventGridOptions EventGrid { get; set; } = new();

    /// <summary>A training whose worker has said nothing for this long has failed; the queue waiting for a GPU counts too.</summary>
    public int MaxSilenceHours { get; set; } = 24;
}

/// <summary>The Event Grid topic (Sdxl:EventGrid).</summary>
public sealed class EventGridOptions
{
    /// <summary>https://NAME.REGION.eventgrid.azure.net/api/events; the topic takes CloudEvents 1.0. Empty: none.</summary>
    public string Endpoint { get; set; } = "";

    /// <summary>Access key; empty: this app's identity, which needs the role EventGrid Data Sender.</summary>
    public string Key { get; set; } = "";
}
