using Sdxl.Core.Bases;
using Sdxl.Core.Trainings;

namespace Sdxl.Core.Captions;

/// <summary>The given captions as they are trained: with the trigger word, and with it in the part that the text encoders read.</summary>
public static class ComposedCaptions
{
    /// <returns>The captions with the trigger word in them, and all warnings so far with a sentence for each caption that is too
    /// long.</returns>
    public static ArchiveCaptions Of(ArchiveCaptions given, TrainingInputs inputs, BaseManifest baseModel) =>
        Of(given, new CaptionComposer(inputs.TokenString, inputs.CaptionPrefix),
            CaptionLength.Of(baseModel, inputs.TokenString, inputs.VectorsPerToken));

    /// <inheritdoc cref="Of(ArchiveCaptions, TrainingInputs, BaseManifest)"/>
    public static ArchiveCaptions Of(ArchiveCaptions given, CaptionComposer composer, CaptionLength length)
    {
        var captions = new Dictionary<string, GivenCaption>(StringComparer.Ordinal);
        var warnings = new List<string>(given.Warnings);
        foreach (var (picture, caption) in given.ByPicture.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var (text, warning) = length.Fit(composer.FromUser(caption.Text));
            captions[picture] = caption with { Text = text };
            if (warning is not null)
                warnings.Add($"Caption of '{picture}' {warning}");
        }
        return new ArchiveCaptions(captions, warnings);
    }
}
