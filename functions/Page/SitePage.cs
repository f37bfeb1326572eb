namespace Sdxl.Functions.Page;

/// <summary>A page of the site: <c>site/NAME.html</c> is what stands in its frame before <c>site/NAME.js</c> has run.</summary>
/// <param name="Title">Before the script knows a better one.</param>
/// <param name="Modules">What the page's module imports, at once and not one after another.</param>
/// <param name="Scripts">Classic scripts that may come after everything else.</param>
public sealed record SitePage(string Name, string Title, IReadOnlyList<string> Modules, IReadOnlyList<string> Scripts)
{
    private static readonly string[] s_common = ["vendor/lit-html.js", "words.js", "app.js"];

    public static SitePage Start { get; } = Of("start", "Train on your pictures", "pictures.js", "settings.js", "kinds.js", "drop.js");
    public static SitePage Trainings { get; } = Of("trainings", "Trainings");
    public static SitePage Training { get; } =
        Of("training", "Training", "pictures.js", "samples.js", "curve.js") with
        {
            Scripts = ["vendor/uPlot.iife.min.js"],
        };
    public static SitePage Models { get; } = Of("models", "Models");
    public static SitePage Model { get; } = Of("model", "Model", "code.js");
    public static SitePage Play { get; } = Of("play", "Draw", "settings.js", "code.js", "viewer.js");
    public static SitePage Account { get; } = Of("account", "Account");
    public static SitePage SignIn { get; } = Of("sign-in", "Sign in");

    public static IReadOnlyList<SitePage> All { get; } = [Start, Trainings, Training, Models, Model, Play, Account, SignIn];

    private static SitePage Of(string name, string title, params string[] modules) => new(name, title, [.. s_common, .. modules], []);
}
