using System.Text.Json;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Nets;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests;

/// <summary>Reference values and how to compare with them.</summary>
internal sealed class Golden : IDisposable
{
    /// <summary>For one forward pass: another BLAS differs in the last digits.</summary>
    public const double Pass = 1e-4;

    /// <summary>For a whole sampling or training trajectory.</summary>
    public const double Trajectory = 1e-3;

    private readonly SafetensorsFile file;

    private Golden(string path)
    {
        file = SafetensorsFile.Open(path + ".safetensors");
        Facts = JsonSerializer.Deserialize<JsonElement>(System.IO.File.ReadAllBytes(path + ".json"));
    }

    /// <summary>The JSON beside the tensors: what was computed.</summary>
    public JsonElement Facts { get; }

    /// <summary>The tensors' file itself.</summary>
    public SafetensorsFile File => file;

    public IEnumerable<string> Names => file.Entries.Keys;

    public static Golden Open(params string[] parts) => new(TestPaths.Golden(parts));

    /// <summary>
    /// Every golden in the folder, at any depth, with these tensors (or facts in its JSON): path without extension, relative to the folder.
    /// What a golden pins is told by what it holds, so further files of a kind are tried too, whatever their names.
    /// </summary>
    /// <param name="holds">Names of tensors; "facts.NAME" for the JSON's; "!" before one that must be absent.</param>
    public static IReadOnlyList<string> With(params string[] holds)
    {
        string[] found =
        [
            .. s_all
                .Value.Where(g => holds.All(h => h[0] == '!' ? !g.Value.Contains(h[1..]) : g.Value.Contains(h)))
                .Select(g => g.Key)
                .Order(StringComparer.Ordinal),
        ];
        return found.Length > 0
            ? found
            : throw new InvalidDataException($"{TestPaths.Goldens} has no golden with {string.Join(", ", holds)}.");
    }

    private static readonly Lazy<Dictionary<string, HashSet<string>>> s_all = new(() =>
    {
        var all = new Dictionary<string, HashSet<string>>();
        foreach (
            var json in Directory
                .GetFiles(TestPaths.Goldens, "*.json", SearchOption.AllDirectories)
                .Where(f => System.IO.File.Exists(Path.ChangeExtension(f, ".safetensors")))
        )
        {
            var path = Path.ChangeExtension(Path.GetRelativePath(TestPaths.Goldens, json), null);
            using var golden = Open(path);
            all[path] =
            [
                .. golden.Names,
                .. golden.Facts.ValueKind == JsonValueKind.Object ? golden.Facts.EnumerateObject().Select(f => "facts." + f.Name) : [],
            ];
        }
        return all;
    });

    public Tensor this[string name] => file.Read(name);

    public bool Has(string name) => file.Entries.ContainsKey(name);

    public string Text(string name) => Facts.GetProperty(name).GetString()!;

    public string[] Texts(string name) => [.. Facts.GetProperty(name).EnumerateArray().Select(t => t.GetString()!)];

    public int Int(string name) => Facts.GetProperty(name).GetInt32();

    public double Double(string name) => Facts.GetProperty(name).GetDouble();

    public void Dispose() => file.Dispose();

    /// <summary>|actual - expected| &lt;= tolerance + tolerance |expected| for every element.</summary>
    public static void Close(Tensor expected, Tensor actual, double tolerance, string what)
    {
        Assert.Equal(expected.shape, actual.shape);
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        var want = expected.to_type(ScalarType.Float64);
        var got = actual.detach().cpu().to_type(ScalarType.Float64);
        var excess = ((got - want).abs() - (want.abs() * Num(tolerance) + Num(tolerance))).max().item<double>();
        Assert.True(
            !double.IsNaN(excess) && excess <= 0,
            $"{what}: differs by up to {(got - want).abs().max().item<double>():g4} where values reach "
                + $"{want.abs().max().item<double>():g4}; exceeds {tolerance:g} by {excess:g3}."
        );
    }

    public static string Folder(string model) => TestPaths.Golden(model);

    /// <summary>All model folders among the goldens that a training can start from: both text encoders, so no refiner.</summary>
    public static IReadOnlyList<string> BaseFolders { get; } =
    [
        .. Directory
            .GetFiles(TestPaths.Goldens, "model_index.json", SearchOption.AllDirectories)
            .Select(f => Path.GetDirectoryName(f)!)
            .Where(f => Directory.Exists(Path.Combine(f, "text_encoder")) && Directory.Exists(Path.Combine(f, "text_encoder_2")))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The refiners among the goldens: model folders without the first text encoder.</summary>
    public static IReadOnlyList<string> RefinerFolders { get; } =
        [.. Directory.GetFiles(TestPaths.Goldens, "model_index.json", SearchOption.AllDirectories).Select(f => Path.GetDirectoryName(f)!)
            .Where(f => !Directory.Exists(Path.Combine(f, "text_encoder"))).Order(StringComparer.Ordinal)];

    /// <summary>
    /// A base model for tests that need any, and that of goldens which name none: of several the one that the goldens' README names.
    /// </summary>
    public static string BaseFolder { get; } = BaseFolders.FirstOrDefault(f => Path.GetFileName(f) == "tiny-sdxl") ?? BaseFolders[0];

    /// <summary>The model that a golden names, else the one whose text encoders are as wide as the golden's new rows.</summary>
    public static string BaseFor(JsonElement facts, SafetensorsFile tensors, string rows1, string rows2)
    {
        if (facts.TryGetProperty("model", out var named))
            return Folder(named.GetString()!);
        long Width(string folder, string encoder) => ClipTextConfig.Load(Path.Combine(folder, encoder, "config.json")).HiddenSize;
        string[] fitting =
        [
            .. BaseFolders.Where(f =>
                Width(f, "text_encoder") == tensors.Entries[rows1].Shape[1] && Width(f, "text_encoder_2") == tensors.Entries[rows2].Shape[1]
            ),
        ];
        return fitting.Contains(BaseFolder) ? BaseFolder : fitting[0];
    }

    public static UNet2DConditionModel UNet(string model) =>
        Filled(
            new UNet2DConditionModel(UNetConfig.Load(Path.Combine(Folder(model), "unet", "config.json")), Placement.CpuFloat),
            model,
            "unet"
        );

    public static AutoencoderKL Vae(string model) => VaeOf(Folder(model));

    public static AutoencoderKL VaeOf(string folder) =>
        Filled(new AutoencoderKL(VaeConfig.Load(Path.Combine(folder, "vae", "config.json")), Placement.CpuFloat), folder, "vae");

    public static ClipTextModel Text(string model, string name) =>
        Filled(new ClipTextModel(ClipTextConfig.Load(Path.Combine(Folder(model), name, "config.json")), Placement.CpuFloat), model, name);

    private static T Filled<T>(T net, string model, string name) where T : nn.Module
    {
        using var tensors = FolderTensors.Open(Path.Combine(Folder(model), name));
        NetLoader.Fill(net, tensors);
        return net;
    }
}
