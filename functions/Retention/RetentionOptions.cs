using System.Globalization;

namespace Sdxl.Functions.Retention;

/// <summary>How long a kind of thing is kept, in days; 0: for ever. Published versions are never removed by time.</summary>
public readonly record struct Days(double Count)
{
    public DateTimeOffset? After(DateTimeOffset moment) => Count > 0 ? moment.AddDays(Count) : null;

    /// <returns>false for what is kept for ever.</returns>
    public bool AreOver(DateTimeOffset since, DateTimeOffset now) => After(since) is { } end && end <= now;

    public override string ToString() => Count.ToString("0.###", CultureInfo.InvariantCulture);
}

/// <summary>Settings Sdxl:Retention:…Days. Each counts from the thing's end, or from its making where it has none.</summary>
public sealed class RetentionOptions
{
    /// <summary>Archives dropped into the uploads container.</summary>
    public double UploadDays { get; set; } = 30;

    /// <summary>Data sets of finished trainings and checks: without them a training cannot be begun again with the same data.</summary>
    public double DatasetDays { get; set; } = 90;

    /// <summary>What a finished job leaves beside its record: inputs, unpublished output, checkpoints that were kept.</summary>
    public double ScratchDays { get; set; } = 30;

    /// <summary>The same of runs that failed or were canceled.</summary>
    public double FailedCheckpointDays { get; set; } = 7;

    /// <summary>Finished predictions with their pictures.</summary>
    public double PredictionDays { get; set; } = 30;

    /// <summary>Files sent to v1/files.</summary>
    public double FileDays { get; set; } = 7;

    public Days Uploads => new(UploadDays);

    public Days Datasets => new(DatasetDays);

    public Days Scratch => new(ScratchDays);

    public Days FailedCheckpoints => new(FailedCheckpointDays);

    public Days Predictions => new(PredictionDays);

    public Days Files => new(FileDays);
}
