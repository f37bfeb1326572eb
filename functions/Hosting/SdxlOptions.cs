namespace Sdxl.Functions.Hosting;

/// <summary>Settings of the app (configuration section "Sdxl").</summary>
public sealed class SdxlOptions
{
    public const string Section = "Sdxl";

    /// <summary>Folder with the manifests and the preprocessing models.</summary>
    public string ModelsFolder { get; set; } = "models";

    /// <summary>Base model for trainings that name none.</summary>
    public string DefaultBase { get; set; } = "sdxl";

    /// <summary>Owner of models whose upload names none.</summary>
    public string Owner { get; set; } = "me";

    /// <summary>Where clients reach the app, for links; empty: the request's own host.</summary>
    public string PublicUrl { get; set; } = "";

    /// <summary>Largest archive, bytes; the blob way and HTTP alike.</summary>
    public long MaxArchiveBytes { get; set; } = 250L << 20;

    /// <summary>A training whose worker has said nothing for this long has failed; the queue waiting for a GPU counts too.</summary>
    public int MaxSilenceHours { get; set; } = 24;
}
