using System.Globalization;
using System.Net;
using System.Text;
using Sdxl.Core.Datasets;

namespace Sdxl.Functions.Trainings;

/// <summary>The data set's report as one self-contained HTML page: thumbnails with crop, masks, captions, warnings. No script, no outside file.</summary>
public static class ReportPage
{
    /// <param name="read">Reads a file of the data set (thumbnail, picture, mask) by its name in the report.</param>
    public static async Task<string> RenderAsync(DatasetReport report, Func<string, Task<byte[]>> read)
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $$"""
            <!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Data set {{Text(report.Archive)}}</title>
            <style>
            body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1c2430;background:#fafbfc}
            h1{font-size:1.4rem} .grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(20rem,1fr));gap:1rem}
            figure{margin:0;background:#fff;border:1px solid #dde3ea;border-radius:8px;padding:.8rem}
            .pictures{display:flex;gap:.5rem;align-items:flex-start} .pictures img{height:128px;max-width:100%;display:block;border-radius:4px}
            .source{position:relative} .crop{position:absolute;border:2px solid #ff5a36;box-shadow:0 0 0 1px #fff8;box-sizing:border-box}
            .masked{position:relative} .masked img+img{position:absolute;inset:0;mix-blend-mode:multiply}
            figcaption{margin-top:.6rem} .caption{font-weight:600} .meta{color:#5b6775;font-size:.85rem} .warn{color:#9a4a00}
            ul{padding-left:1.2rem}
            </style><h1>{{report.PicturesUsed}} pictures from {{Text(report.Archive)}}</h1>
            """);
        Section(page, "Warnings", report.Warnings, "warn");
        page.Append("<div class=grid>");
        foreach (var picture in report.Pictures)
            await Figure(page, picture, read);
        page.Append("</div>");
        Section(page, "Skipped files", report.Skipped.Select(s => $"{s.Name}: {s.Reason}"), "meta");
        return page.Append("</html>\n").ToString();
    }

    private static async Task Figure(StringBuilder page, ReportedPicture picture, Func<string, Task<byte[]>> read)
    {
        string Percent(int part, int whole) => (100.0 * part / whole).ToString("0.##", CultureInfo.InvariantCulture) + "%";
        var (thumbnail, prepared, mask) = (await Data(picture.ThumbnailFile, "image/jpeg"), await Data(picture.File, "image/png"), await Data(picture.MaskFile, "image/png"));
        page.Append(CultureInfo.InvariantCulture, $"""
            <figure><div class=pictures>
            <div class=source><img src="{thumbnail}" alt="{Text(picture.Name)}"><div class=crop style="left:{Percent(picture.Crop[0], picture.Width)};top:{Percent(picture.Crop[1], picture.Height)};width:{Percent(picture.Crop[2], picture.Width)};height:{Percent(picture.Crop[3], picture.Height)}"></div></div>
            <div class=masked title="as trained, darkened where the mask does not count"><img src="{prepared}" alt="as trained"><img src="{mask}" alt="mask"></div>
            </div><figcaption><div class=caption>{Text(picture.Caption)}</div>
            <div class=meta>{Text(picture.Name)} · {picture.Width} x {picture.Height}{(picture.Upscaled ? ", upscaled" : "")} · caption: {Words(picture.CaptionSource)} · mask: {Words(picture.MaskSource)}{(picture.Faces > 0 ? $" · faces: {picture.Faces}" : "")}</div>
            """);
        Section(page, null, picture.Warnings, "warn");
        page.Append("</figcaption></figure>");

        async Task<string> Data(string file, string type) => $"data:{type};base64,{Convert.ToBase64String(await read(file))}";
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
        CaptionSource.CaptionFile => "caption file",
        CaptionSource.TextFile => "text file beside it",
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
