namespace Sdxl.Core.Datasets;

/// <summary>A prepared data set: what the trainer reads. Stored as manifest.json beside pictures/ and masks/.</summary>
/// <param name="Resolution">Side of every picture and mask in pixels.</param>
/// <param name="Trigger">The trigger word as it stands in the captions; several are separated by '|'.</param>
/// <param name="Pictures">A picture that counts more than once (<see cref="FolderRepeats"/>) stands here as often, with the same
/// files.</param>
public sealed record DatasetManifest(int Resolution, string Trigger, IReadOnlyList<DatasetPicture> Pictures);

/// <summary>
/// One prepared picture. Its index in the manifest is its index in the data set: order is by name, so the same archive gives the same
/// order.
/// </summary>
/// <param name="Name">Path inside the archive.</param>
/// <param name="File">Prepared picture, PNG, relative to the data set: pictures/000.png.</param>
/// <param name="MaskFile">Its mask, 8-bit grey PNG of the same size: masks/000.png. 255 = counts fully.</param>
/// <param name="Caption">The caption as trained, with at least one trigger word in it.</param>
/// <param name="OriginalWidth">Width in pixels after EXIF orientation, before anything else.</param>
/// <param name="OriginalHeight">Height likewise.</param>
/// <param name="CropLeft">Left edge of the square crop, in pixels of the picture scaled so that the crop is <c>Resolution</c> wide (SDXL's
/// crop conditioning).</param>
/// <param name="CropTop">Top edge likewise.</param>
/// <param name="Sha256">Of the prepared picture's file: keys the latent cache.</param>
public sealed record DatasetPicture(
    string Name,
    string File,
    string MaskFile,
    string Caption,
    int OriginalWidth,
    int OriginalHeight,
    int CropLeft,
    int CropTop,
    string Sha256
);
