namespace Sdxl.Core.Captions;

/// <summary>One row of a caption file.</summary>
/// <param name="File">The caption file's path in the archive.</param>
/// <param name="Line">Line in the file, from 1.</param>
/// <param name="Picture">The picture as the row names it, spaces inside as they are.</param>
/// <param name="Caption">The caption as written, on one line; may be empty.</param>
public sealed record CaptionRow(string File, int Line, string Picture, string Caption);

/// <summary>A caption file's rows and what was odd about it.</summary>
/// <param name="Rows">In the file's order, without header and empty lines.</param>
/// <param name="Warnings">One sentence each.</param>
public sealed record CaptionTable(IReadOnlyList<CaptionRow> Rows, IReadOnlyList<string> Warnings);
