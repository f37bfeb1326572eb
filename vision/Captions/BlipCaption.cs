namespace Sdxl.Vision.Captions;

/// <summary>What BLIP wrote: its ids from start to end token, their text, and the text without BLIP's fillers.</summary>
public sealed record BlipCaption(IReadOnlyList<long> Ids, string RawText, string Text);
