using Sdxl.Core.Versions;

namespace Sdxl.Core.Trainings;

/// <summary>Weights that a training left on its way, told in jobs/{owner}/{id}/checkpoints.json once all their files are stored.</summary>
/// <param name="Step">Steps done, from 1; the last step's weights are the version itself, and are not kept twice.</param>
/// <param name="Place">Below jobs/{owner}/{id}/checkpoints/: the folder with the files, ending in '/'.</param>
/// <param name="Files">Those of a version, as far as it needs them to be drawn with.</param>
public sealed record KeptCheckpoint(int Step, string Place, IReadOnlyList<VersionFile> Files);
