namespace Sdxl.Core.Trainings;

/// <summary>Where a training is, in the order of the way of the data.</summary>
public enum TrainingStage { Queued, Unpack, Prepare, Manifest, Train, Publish, Done }
