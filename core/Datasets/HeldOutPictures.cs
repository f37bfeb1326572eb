namespace Sdxl.Core.Datasets;

/// <summary>
/// Pictures that a training is not shown: what its net gets wrong on them tells how well it does on pictures that it does not know.
/// </summary>
public static class HeldOutPictures
{
    /// <summary>
    /// Their files: spread evenly over the data set's order, never more than half of the pictures. The same manifest, the same files.
    /// </summary>
    /// <param name="wanted">How many; 0: none.</param>
    public static IReadOnlyList<string> Of(DatasetManifest dataset, int wanted)
    {
        var files = dataset.Pictures.Select(picture => picture.File).Distinct().ToList(); // one that counts twice: both entries
        var count = Most(wanted, files.Count);
        return [.. Enumerable.Range(0, count).Select(i => files[(2 * i + 1) * files.Count / (2 * count)])];
    }

    /// <summary>What is left of a wish where there are so many pictures.</summary>
    public static int Most(int wanted, int pictures) => Math.Min(wanted, pictures / 2);
}
