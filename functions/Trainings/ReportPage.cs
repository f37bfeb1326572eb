using System.Globalization;
using System.Net;
using System.Text;
using Sdxl.Core.Datasets;
using Sdxl.Core.Text;

namespace Sdxl.Functions.Trainings;

/// <summary>
/// The data set's report as one self-contained HTML page: what was skipped and why, warnings, and for each picture thumbnail with crop,
/// mask overlay, caption and where it came from. No script, no outside file; light and dark; all text of the archive is escaped.
/// </summary>
public static class ReportPage
{
    /// <param name="read">Reads a file of the data set (thumbnail, picture, mask) by its name in the report.</param>
    public static async Task<string> RenderAsync(DatasetReport report, Func<string, Task<byte[]>> read)
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"""
            <!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
            <title>Data set {Text(report.Archive)}</title>
            <style>{Style}</style><h1>{Plural.Of(report.PicturesUsed, "picture")} from {Text(report.Archive)}</h1>
            <p class=meta>{Text(Summary(report))}</p>
            """);
        Section(page, "Warnings", report.Warnings, "warn");
        Section(page, "Skipped files", report.Skipped.Select(s => $"{s.Name}: {s.Reason}"), "meta");
        page.Append(
            "<p class=meta>Left the whole picture with the square that is trained, right that square as trained: what the mask leaves out "
                + "of the loss is dark.</p><div class=grid>"
        );
        foreach (var picture in report.Pictures)
            await Figure(page, picture, read);
        return page.Append("</div></html>\n").ToString();
    }

    private const string Style = """
        :root{color-scheme:light dark;--text:#1c2430;--page:#fafbfc;--card:#fff;--line:#dde3ea;--meta:#5b6775;--warn:#9a4a00}
        @media (prefers-color-scheme:dark){:root{--text:#e4e8ee;--page:#14181e;--card:#1d232b;--line:#333c48;--meta:#9aa6b5;--warn:#f0a95c}}
        body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:var(--text);background:var(--page);overflow-wrap:anywhere}
        h1{font-size:1.4rem;margin:0} h2{font-size:1.1rem;margin:1.2rem 0 .3rem} ul{padding-left:1.2rem;margin:.4rem 0 0}
        .grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(20rem,100%),1fr));gap:1rem;align-items:start}
        figure{margin:0;min-width:0;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.8rem;break-inside:avoid}
        .pictures{display:flex;gap:.5rem;align-items:flex-start} img{display:block;width:100%;height:100%;border-radius:4px}
        .source{position:relative;flex:none} .crop{position:absolute;border:2px solid #ff5a36;box-shadow:0 0 0 1px #fff8;box-sizing:border-box}
        .masked{position:relative;flex:none;width:8rem;height:8rem} .masked img+img{position:absolute;inset:0;mix-blend-mode:multiply;opacity:.85}
        figcaption{margin-top:.6rem} .caption{font-weight:600;max-height:9rem;overflow:auto} .meta{color:var(--meta);font-size:.85rem} .warn{color:var(--warn)}
        """;

    private static async Task Figure(StringBuilder page, ReportedPicture picture, Func<string, Task<byte[]>> read)
    {
        string Percent(int part, int whole) => (100.0 * part / whole).ToString("0.##", CultureInfo.InvariantCulture) + "%";
        var thumbnail = ReportPreview.Thumbnail(await read(picture.ThumbnailFile));
        var (prepared, mask) = (ReportPreview.Picture(await read(picture.File)), ReportPreview.Mask(await read(picture.MaskFile)));
        // 8rem high where that leaves room for the square beside it; the shape kept in any case.
        var shape = FormattableString.Invariant(
            $"aspect-ratio:{picture.Width}/{picture.Height};width:min(100% - 8.5rem,{8.0 * picture.Width / picture.Height:0.###}rem)"
        );
        page.Append(
            CultureInfo.InvariantCulture,
            $"""
            <figure><div class=pictures>
            <div class=source style="{shape}"><img src="{thumbnail}" alt="{Text(picture.Name)}"><div class=crop style="left:{Percent(
                picture.Crop[0],
                picture.Width
            )};top:{Percent(picture.Crop[1], picture.Height)};width:{Percent(picture.Crop[2], picture.Width)};height:{Percent(
                picture.Crop[3],
                picture.Height
            )}"></div></div>
            <div class=masked><img src="{prepared}" alt="as trained"><img src="{mask}" alt="its mask"></div>
            </div><figcaption><div class=caption><bdi>{Text(picture.Caption)}</bdi></div>
            <div class=meta><bdi>{Text(picture.Name)}</bdi> · {picture.Width} x {picture.Height}{(
                picture.Upscaled ? ", upscaled" : ""
            )} · caption: {Words(picture.CaptionSource)} · mask: {Words(picture.MaskSource)}{(
                picture.Faces > 0 ? $" · faces: {picture.Faces}" : ""
            )}</div>
            """
        );
        Section(page, null, picture.Warnings, "warn");
        page.Append("</figcaption></figure>");
    }

    /// <summary>"3 files skipped · 2 pictures upscaled · captions: 10 written by BLIP, 2 text file beside it · masks: 12 none".</summary>
    private static string Summary(DatasetReport report)
    {
        var parts = new List<string> { $"{Plural.Of(report.Skipped.Count, "file")} skipped" };
        if (report.Pictures.Count(picture => picture.Upscaled) is > 0 and var upscaled)
            parts.Add($"{Plural.Of(upscaled, "picture")} upscaled");
        parts.Add("captions: " + Tally(report.Pictures.Select(picture => Words(picture.CaptionSource))));
        parts.Add("masks: " + Tally(report.Pictures.Select(picture => Words(picture.MaskSource))));
        return string.Join(" · ", parts);

        static string Tally(IEnumerable<string> words) =>
            string.Join(", ", words.CountBy(word => word).OrderByDescending(pair => pair.Value).Select(pair => $"{pair.Value} {pair.Key}"));
    }

    private static void Section(StringBuilder page, string? title, IEnumerable<string> lines, string style)
    {
        var list = lines.ToList();
        if (list.Count == 0)
            return;
        if (title is not null)
            page.Append("<h2>").Append(title).Append("</h2>");
        page.Append("<ul class=").Append(style).Append('>');
        foreach (var line in list)
            page.Append("<li>").Append(Text(line));
        page.Append("</ul>");
    }

    private static string Words(CaptionSource source) => source switch
    {
        CaptionSource.CaptionFile => "from the caption file",
        CaptionSource.TextFile => "from the text file beside it",
        CaptionSource.Edited => "edited by hand",
        _ => "written by BLIP",
    };

    private static string Words(MaskSource source) => source switch
    {
        MaskSource.Supplied => "supplied",
        MaskSource.Text => "from the prompt",
        MaskSource.Faces => "faces",
        _ => "none",
    };

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
