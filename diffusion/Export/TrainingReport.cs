using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Sdxl.Core.Captions;
using Sdxl.Core.Datasets;
using Sdxl.Core.Json;
using Sdxl.Core.Text;
using Sdxl.Core.Trainings;
using Sdxl.Diffusion.Training;
using Sdxl.Pictures;
using SixLabors.ImageSharp;

namespace Sdxl.Diffusion.Export;

/// <summary>report.html: one file without links to the outside: what was trained on, how the loss went, what came out.</summary>
public static class TrainingReport
{
    private const int Width = 900, Height = 260, Margin = 44; // of a plot, in pixels
    private const int Bins = 10;
    // Pixels of a picture in the page, twice as many as it is shown with: whole photographs would make it gigabytes
    private const int MostSide = 264;

    private static readonly PictureLoader s_loader = new(new PictureLimits());

    /// <param name="steps">All steps' numbers, in order.</param>
    /// <param name="samples">The samples drawn on the way, if any.</param>
    public static string Render(
        TrainingPlan plan,
        TrainingSettings settings,
        DatasetManifest dataset,
        IReadOnlyList<StepMetrics> steps,
        TrainingSamples samples
    )
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $$$"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
            <title>Training of {{{Escape(plan.ModelName)}}}</title>
            <style>
            body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:960px;padding:0 1rem;color:#222;background:#fff}
            h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}figure{display:inline-block;margin:0 .7rem .7rem 0;width:132px;vertical-align:top;font-size:12px}
            img{max-width:100%;border-radius:4px}td,th{padding:.1rem .8rem .1rem 0;text-align:left;vertical-align:top}.strip img{width:128px;margin-right:4px}svg{max-width:100%;height:auto}code{font-size:13px}
            @media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}}
            </style></head><body>
            <h1>Training of {{{Escape(plan.ModelName)}}}</h1>
            <p>{{{Plural.Of(dataset.Pictures.Count, "picture")}}} of <b>{{{Escape(
                string.Join(", ", new TriggerWords(dataset.Trigger).All)
            )}}}</b>, {{{Plural.Of(settings.Steps, "step")}}}, {{{(
                settings.Lora is { } lora ? $"LoRA of rank {lora.Rank}" : "full fine-tune"
            )}}} on base <b>{{{Escape(plan.Base.Name)}}}</b>.</p>
            """
        );
        if (steps.Count > 0)
        {
            page.Append("<h2>Loss</h2>").Append(Plot(Smoothed(steps), steps.Count));
            page.Append("<h2>Loss by timestep</h2>").Append(BinTable(steps));
        }
        AppendHeldOut(page, steps);
        AppendSamples(page, samples);
        page.Append("<h2>Data set</h2>");
        var unseen = HeldOutPictures.Of(dataset, plan.Inputs.HeldOutPictures);
        foreach (var picture in dataset.Pictures)
        {
            var file = Path.Combine(plan.DatasetFolder, picture.File);
            if (File.Exists(file))
                page.Append(
                    CultureInfo.InvariantCulture,
                    $"<figure><img alt=\"{Escape(picture.Name)}\" "
                        + $"src=\"{DataUri(file)}\"><figcaption>{(unseen.Contains(picture.File) ? "<b>Held out.</b> " : "")}"
                        + $"{Escape(picture.Caption)}</figcaption></figure>"
                );
        }
        page.Append("<h2>Settings</h2><table>");
        foreach (
            var input in JsonSerializer
                .SerializeToElement(plan.Inputs, SdxlJson.Options)
                .EnumerateObject()
                .Where(i => i.Value.ValueKind != JsonValueKind.Null)
        )
            page.Append(
                CultureInfo.InvariantCulture,
                $"<tr><td><code>{Escape(input.Name)}</code></td><td>{Escape(input.Value.ToString())}</td></tr>"
            );
        return page.Append("</table></body></html>\n").ToString();
    }

    private static void AppendHeldOut(StringBuilder page, IReadOnlyList<StepMetrics> steps)
    {
        var measured = MetricsLog.HeldOut(steps);
        if (measured.Count == 0)
            return;
        page.Append("<h2>Loss on pictures held out</h2>");
        if (Recommendation.Of(measured) is { } best)
            page.Append(CultureInfo.InvariantCulture, $"<p><b>Recommended: step {best.Step:N0}.</b> {best.Reason}</p>");
        page.Append("<table><tr><th>after step</th><th>mean squared error</th></tr>");
        foreach (var one in measured)
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{one.Step:N0}</td><td>{one.Loss:0.0000}</td></tr>");
        page.Append("</table>");
    }

    private static void AppendSamples(StringBuilder page, TrainingSamples samples)
    {
        var (prompts, drawn, file) = samples.Drawn();
        if (drawn.Count == 0)
            return;
        page.Append("<h2>Samples</h2><p>The same noise every time; after ")
            .AppendJoin(", ", drawn)
            .Append(drawn is [1] ? " step.</p>" : " steps.</p>");
        for (var prompt = 0; prompt < prompts.Count; prompt++)
        {
            page.Append(CultureInfo.InvariantCulture, $"<p>{Escape(prompts[prompt])}</p><div class=\"strip\">");
            foreach (var step in drawn)
                page.Append(
                    CultureInfo.InvariantCulture,
                    $"<img alt=\"step {step}\" title=\"step {step}\" src=\"{DataUri(file(step, prompt))}\">"
                );
            page.Append("</div>");
        }
    }

    /// <summary>Mean over a window of a fiftieth of the run: single steps differ mostly by their timesteps.</summary>
    private static List<(int Step, double Loss)> Smoothed(IReadOnlyList<StepMetrics> steps)
    {
        var window = Math.Max(1, steps.Count / 50);
        return [.. steps.Chunk(window).Select(c => (c[^1].Step, c.Average(m => m.Loss)))];
    }

    private static string Plot(List<(int Step, double Loss)> points, int total)
    {
        var top = points.Max(p => p.Loss) * 1.05;
        double X(double step) => Margin + step / total * (Width - 2 * Margin);
        double Y(double loss) => Height - Margin + (top > 0 ? -loss / top * (Height - 2 * Margin) : 0);
        var svg = new StringBuilder();
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"Loss over steps\" font-size=\"12\" fill=\"currentColor\">"
        );
        for (var i = 0; i <= 4; i++)
        {
            var (loss, step) = (top * i / 4, total * i / 4);
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<line x1=\"{Margin}\" x2=\"{Width - Margin}\" y1=\"{Y(loss):0.#}\" y2=\"{Y(loss):0.#}\" stroke=\"currentColor\" "
                    + $"stroke-opacity=\".15\"/>"
            );
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<text x=\"{Margin - 6}\" y=\"{Y(loss) + 4:0.#}\" text-anchor=\"end\">{loss:0.###}</text><text x=\"{X(step):0.#}\" "
                    + $"y=\"{Height - Margin + 18}\" text-anchor=\"middle\">{step}</text>"
            );
        }
        svg.Append("<polyline fill=\"none\" stroke=\"#7a3fd0\" stroke-width=\"2\" points=\"");
        foreach (var (step, loss) in points)
            svg.Append(CultureInfo.InvariantCulture, $"{X(step):0.#},{Y(loss):0.#} ");
        return svg.Append("\"/></svg>").ToString();
    }

    private static string BinTable(IReadOnlyList<StepMetrics> steps)
    {
        var half = Math.Max(1, steps.Count / 2);
        string Mean(IEnumerable<StepMetrics> part, int bin) =>
            part.Select(s => s.LossByTimestep[bin]).OfType<double>().ToList() is { Count: > 0 } values
                ? values.Average().ToString("0.0000", CultureInfo.InvariantCulture)
                : "–";
        var table = new StringBuilder("<table><tr><th>timesteps</th><th>first half</th><th>second half</th></tr>");
        for (var bin = 0; bin < Bins; bin++)
            table.Append(
                CultureInfo.InvariantCulture,
                $"<tr><td>{bin * 100}–{bin * 100 + 99}</td><td>{Mean(steps.Take(half), bin)}</td><td>{Mean(steps.Skip(half), bin)}</td></tr>"
            );
        return table.Append("</table>").ToString();
    }

    private static string DataUri(string file) => "data:image/png;base64," + Convert.ToBase64String(Small(file));

    /// <summary>A PNG's bytes, shrunk where it is large.</summary>
    private static byte[] Small(string file)
    {
        var bytes = File.ReadAllBytes(file);
        var pixels = s_loader.Load(bytes, file).Pixels;
        var (width, height) = PictureResizer.FitWithin(pixels.Width, pixels.Height, MostSide);
        if (width == pixels.Width)
            return bytes;
        using var image = PictureResizer.Resize(pixels, width, height, ResizeFilter.Bicubic).ToRgb();
        using var small = new MemoryStream();
        image.SaveAsPng(small);
        return small.ToArray();
    }

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
