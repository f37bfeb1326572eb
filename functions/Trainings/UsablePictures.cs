using Sdxl.Core.Text;
using Sdxl.Functions.Http;
using Sdxl.Pictures;

namespace Sdxl.Functions.Trainings;

/// <summary>
/// Before a training is accepted over HTTP at least one picture must decode. Usually the first one does, so this costs one picture's
/// decoding; the pictures that fail beside a good one are skipped later with a warning.
/// </summary>
public sealed class UsablePictures(PictureLoader loader)
{
    /// <summary>Large pictures are decoded at this size: enough to know that they decode.</summary>
    private const int DecodedSide = 1024;

    /// <exception cref="IntakeException">No picture of the archive can be used; says why for each (the first ten).</exception>
    public void RefuseIfNoneDecodes(ArchiveIntake intake, CancellationToken cancel)
    {
        var reasons = new List<string>();
        foreach (var picture in intake.Archive.Contents.Pictures)
        {
            cancel.ThrowIfCancellationRequested();
            try
            {
                using var bytes = new MemoryStream();
                using (var content = intake.Archive.Open(picture.Path))
                    content.CopyTo(bytes);
                bytes.Position = 0;
                _ = loader.Load(bytes, picture.Path, maxSide: DecodedSide, cancel: cancel);
                return;
            }
            catch (PictureRefusedException e)
            {
                reasons.Add(e.Message);
            }
        }
        throw new IntakeException([new IntakeProblem(
            "input_images", $"{NoneUsable(reasons.Count, intake.Archive.Name)} {string.Join(" ", reasons.Take(10))}", 422)]);
    }

    /// <summary>The sentence before the reasons, also where all pictures fail only when they are prepared.</summary>
    internal static string NoneUsable(int pictures, string archive) =>
        pictures == 1
            ? $"The only picture in {archive} cannot be used."
            : $"None of the {Plural.Of(pictures, "picture")} in {archive} can be used.";
}
