namespace Sdxl.Cli.Sheets;

/// <summary>One row of a picture sheet: the same prompt and seed, before and after a training.</summary>
/// <param name="Before">PNG.</param>
/// <param name="After">PNG.</param>
internal sealed record SheetRow(string Prompt, byte[] Before, byte[] After);
