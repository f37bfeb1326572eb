namespace Sdxl.Core.Jobs;

/// <summary>Status words as Replicate's clients know them.</summary>
public enum JobStatus { Starting, Processing, Succeeded, Failed, Canceled }
