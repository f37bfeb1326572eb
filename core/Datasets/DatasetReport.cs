namespace Sdxl.Core.Datasets;

/// <summary>What became of every file of an archive: stored as report.json and shown as report.html.</summary>
public sealed record DatasetReport(
    string Archive,
    int PicturesUsed,
    IReadOnlyList<ReportedPicture> Pictures,
    IReadOnlyList<SkippedFile> Skipped,
    IReadOnlyList<string> Warnings);

/// <summary>Where a caption came from.</summary>
public enum CaptionSource { CaptionFile, TextFile, Blip, Edited }

/// <summary>Where a mask came from.</summary>
public enum MaskSource { Supplied, Text, Faces, None }

/// <param name="Name">Path inside the archive.</param>
/// <param name="File">pictures/NNN.png, relative to the data set's folder.</param>
/// <param name="Crop">Left, top, width, height of the crop in original pixels.</param>
public sealed record ReportedPicture(
    string Name, string File, string MaskFile, string ThumbnailFile, string Caption, CaptionSource CaptionSource, MaskSource MaskSource,
    int Width, int Height, IReadOnlyList<int> Crop, bool Upscaled, int Faces, string PerceptualHash, IReadOnlyList<string> Warnings);

/// <param name="Reason">One sentence.</param>
public sealed record SkippedFile(string Name, string Reason);
