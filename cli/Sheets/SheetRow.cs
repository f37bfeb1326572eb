using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Cli.Sheets;

/// <summary>One row of a picture sheet: the same prompt and seeds, before and after a training. The pictures stay the caller's.</summary>
/// <param name="Prompt">the label above the row</param>
/// <param name="Before">at least one picture</param>
/// <param name="After">at least one picture; usually as many as before</param>
internal sealed record SheetRow(string Prompt, IReadOnlyList<Image<Rgb24>> Before, IReadOnlyList<Image<Rgb24>> After);
