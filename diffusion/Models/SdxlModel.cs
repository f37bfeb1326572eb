using System.Text.Json;
using Sdxl.Core.Text;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Nets;
using Sdxl.Diffusion.Schedulers;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Models;

/// <summary>An SDXL model, base or refiner: nets filled and on their device, tokenizers, schedule.</summary>
public sealed class SdxlModel : IDisposable
{
    private Action<nn.Module, string>? fill; // how a net's weights are read from the source
    private SdxlModel? lender;               // whose nets stand in for those that the folder lacks

    private SdxlModel() { }

    /// <summary>The diffusers folder (or single file) it came from.</summary>
    public required string Source { get; init; }

    public required DiffusionDevice Device { get; init; }

    public required UNet2DConditionModel UNet { get; init; }

    public required AutoencoderKL Vae { get; init; }

    /// <summary>CLIP-L; null for the refiner.</summary>
    public ClipTextModel? TextEncoder { get; init; }

    /// <summary>OpenCLIP bigG, which also gives the pooled text.</summary>
    public required ClipTextModel TextEncoder2 { get; init; }

    public ClipTokenizer? Tokenizer { get; init; }

    public required ClipTokenizer Tokenizer2 { get; init; }

    /// <summary>The noise schedule the model was trained with.</summary>
    public required SchedulerConfig Schedule { get; init; }

    /// <summary>True (SDXL base): an absent or empty negative prompt conditions by zeros, not by the encoded empty text.</summary>
    public bool ForceZerosForEmptyPrompt { get; init; }

    /// <summary>True for the refiner: its time ids end in an aesthetic score instead of the target size.</summary>
    public bool RequiresAestheticsScore { get; init; }

    /// <summary>
    /// Loads a folder in diffusers' layout: model_index.json, a config.json and weights a net, tokenizers, schedule. Or a single-file
    /// checkpoint with such a folder's configs and tokenizers beside it, in a folder of the file's name without .safetensors or in the
    /// file's own folder.
    /// </summary>
    /// <exception cref="SafetensorsException">Weights are missing, corrupt or of another shape.</exception>
    /// <exception cref="InvalidDataException">A config is missing or wrong.</exception>
    public static SdxlModel Load(string source, DiffusionDevice device) => Open(source, device, null);

    /// <summary>
    /// Loads a refiner, folder or single file. What its folder lacks of text_encoder_2/, tokenizer_2/ and vae/ is the base model's own,
    /// which stays its owner: Stability's refiner was trained with the same ones. Source: diffusers docs, using-diffusers/sdxl:
    /// from_pretrained(refiner, text_encoder_2=base.text_encoder_2, vae=base.vae).
    /// </summary>
    public static SdxlModel LoadRefiner(string source, SdxlModel baseModel) => Open(source, baseModel.Device, baseModel);

    /// <summary>
    /// Loads a single-file checkpoint (sgm names). Configs and tokenizers come from a diffusers folder of the same architecture, whose
    /// weights are not read; the prediction type is the file's where it says one.
    /// </summary>
    public static SdxlModel LoadSingleFile(string path, string configFolder, DiffusionDevice device) =>
        FromSingleFile(path, configFolder, device, null);

    /// <summary>The noise schedule of a folder or single file, without its nets.</summary>
    /// <exception cref="SafetensorsException">The file is not a safetensors file, or names a prediction type that does not
    /// exist.</exception>
    /// <exception cref="InvalidDataException">The config is missing or wrong.</exception>
    public static SchedulerConfig ScheduleOf(string source) => ScheduleOf(source, ConfigFolder(source));

    /// <summary>Where the configs and tokenizers of a folder or single file lie.</summary>
    /// <exception cref="InvalidDataException">A single file has none beside it.</exception>
    public static string ConfigFolder(string source) => File.Exists(source) ? ConfigFolderOf(source) : source;

    /// <summary>The single-file names of a model of these depths.</summary>
    public static SingleFileNames NamesFor(UNetConfig unet, VaeConfig vae) =>
        new(
            unet.LayersPerBlock,
            [.. unet.UpBlockTypes.Select(t => t.StartsWith("CrossAttn", StringComparison.Ordinal))],
            vae.BlockOutChannels.Length
        );

    /// <summary>Where a single file's configs and tokenizers lie.</summary>
    public static string ConfigFolderOf(string file)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        var named = Path.Combine(folder, Path.GetFileNameWithoutExtension(file));
        return new[] { named, folder }.FirstOrDefault(f => File.Exists(Path.Combine(f, "model_index.json")))
            ?? throw new InvalidDataException(
                $"Checkpoint '{file}' has no configs beside it: expected a folder in diffusers' layout (model_index.json, a config.json a "
                    + $"net, tokenizers; no weights) at '{named}'. Copy those of its base model there."
            );
    }

    /// <summary>Reads the U-Net's weights from the model's source again, after something wrote over them.</summary>
    public void ReloadUNet() => Reload("unet");

    /// <summary>
    /// Reads a net's weights (unet, vae, text_encoder, text_encoder_2) from the model's source again, after something wrote over them.
    /// </summary>
    public void Reload(string net) => fill!(Nets[net], net);

    /// <summary>The nets by their folders' names.</summary>
    public IReadOnlyDictionary<string, nn.Module> Nets =>
        TextEncoder is null
            ? new Dictionary<string, nn.Module>
            {
                ["unet"] = UNet,
                ["vae"] = Vae,
                ["text_encoder_2"] = TextEncoder2,
            }
            : new Dictionary<string, nn.Module>
            {
                ["unet"] = UNet,
                ["vae"] = Vae,
                ["text_encoder"] = TextEncoder,
                ["text_encoder_2"] = TextEncoder2,
            };

    /// <summary>Frees the text encoders' memory where their states are cached.</summary>
    public void FreeTextEncoders()
    {
        TextEncoder?.Dispose();
        if (TextEncoder2 != lender?.TextEncoder2)
            TextEncoder2.Dispose();
    }

    public void Dispose()
    {
        FreeTextEncoders();
        UNet.Dispose();
        if (Vae != lender?.Vae)
            Vae.Dispose();
    }

    private static void FillFrom(string folder, nn.Module net, string name)
    {
        using var tensors = FolderTensors.Open(Path.Combine(folder, name), net.parameters().First().dtype);
        NetLoader.Fill(net, tensors);
    }

    private static SdxlModel Open(string source, DiffusionDevice device, SdxlModel? lender) => File.Exists(source)
        ? FromSingleFile(source, ConfigFolderOf(source), device, lender)
        : Build(source, source, device, (net, name) => FillFrom(source, net, name), lender);

    private static SdxlModel FromSingleFile(string path, string configFolder, DiffusionDevice device, SdxlModel? lender)
    {
        var vae =
            lender is not null && !Directory.Exists(Path.Combine(configFolder, "vae"))
                ? lender.Vae.Config
                : VaeConfig.Load(Path.Combine(configFolder, "vae", "config.json"));
        var names = NamesFor(UNetConfig.Load(Path.Combine(configFolder, "unet", "config.json")), vae);
        return Build(path, configFolder, device, (net, name) =>
        {
            using var file = SafetensorsFile.Open(path);
            NetLoader.Fill(net, new SingleFileTensors(file, names, name, NetLoader.Shapes(net)));
        }, lender);
    }

    private static SchedulerConfig ScheduleOf(string source, string configFolder)
    {
        var ofConfig = SchedulerConfig.Load(Path.Combine(configFolder, "scheduler", "scheduler_config.json"));
        if (!File.Exists(source))
            return ofConfig;
        using var file = SafetensorsFile.Open(source);
        return TrainedSchedule.Read(file)?.On(ofConfig) ?? ofConfig;
    }

    private static SdxlModel Build(string source, string folder, DiffusionDevice device, Action<nn.Module, string> fill, SdxlModel? lender)
    {
        var indexPath = Path.Combine(folder, "model_index.json");
        if (!File.Exists(indexPath))
            throw new InvalidDataException(
                $"'{folder}' is neither a single-file checkpoint nor a model folder: it has no model_index.json. Expected diffusers' "
                    + "layout (model_index.json, unet/, vae/, text_encoder_2/, …)."
            );
        var index = JsonConfig.Load(indexPath);
        bool Flag(string name) => index.Bool(name, false);
        bool HasPart(string name) => index.PartOf(name) is not null;
        string Config(string net) => Path.Combine(folder, net, "config.json") is var path && File.Exists(path)
            ? path
            : throw new InvalidDataException($"Model '{folder}' lacks {net}/config.json.");

        var made = new List<nn.Module>();
        T Filled<T>(T net, string name) where T : nn.Module
        {
            made.Add(net);
            net.eval();
            fill(net, name);
            return net;
        }

        T OwnOrLent<T>(string part, Func<T> own, T? lent)
            where T : class => lent is not null && !Directory.Exists(Path.Combine(folder, part)) ? lent : own();

        AutoencoderKL Vae()
        {
            var config = VaeConfig.Load(Config("vae"));
            return Filled(new AutoencoderKL(config, new Placement(device.Device, device.VaeType(config))), "vae");
        }

        var text = new Placement(device.Device, device.TextType);
        try
        {
            return new SdxlModel
            {
                Source = source,
                Device = device,
                UNet = Filled(
                    new UNet2DConditionModel(UNetConfig.Load(Config("unet")), new Placement(device.Device, device.UNetType)),
                    "unet"
                ),
                Vae = OwnOrLent("vae", Vae, lender?.Vae),
                TextEncoder = HasPart("text_encoder")
                    ? Filled(
                        new ClipTextModel(ClipTextConfig.Load(Config("text_encoder")) with { ProjectionDim = null }, text),
                        "text_encoder"
                    )
                    : null,
                TextEncoder2 = OwnOrLent(
                    "text_encoder_2",
                    () => Filled(new ClipTextModel(ClipTextConfig.Load(Config("text_encoder_2")), text), "text_encoder_2"),
                    lender?.TextEncoder2
                ),
                Tokenizer = HasPart("tokenizer") ? ClipTokenizer.Load(Path.Combine(folder, "tokenizer")) : null,
                Tokenizer2 = OwnOrLent("tokenizer_2", () => ClipTokenizer.Load(Path.Combine(folder, "tokenizer_2")), lender?.Tokenizer2),
                Schedule = ScheduleOf(source, folder),
                ForceZerosForEmptyPrompt = Flag("force_zeros_for_empty_prompt"),
                RequiresAestheticsScore = Flag("requires_aesthetics_score"),
                fill = fill,
                lender = lender,
            };
        }
        catch
        {
            foreach (var net in made)
                net.Dispose(); // a net's weights are gigabytes that no dispose scope knows of
            throw;
        }
    }
}
