using Sdxl.Vision.Captions;
using Sdxl.Vision.Faces;
using Sdxl.Vision.Masks;
using Sdxl.Vision.Models;
using Sdxl.Vision.Upscaling;

namespace Sdxl.Vision;

/// <summary>
/// The four preprocessing models of a folder with blip/, clipseg/, swin2sr/ and yunet/. Nothing is opened before it is used, then once for
/// the whole process; thread-safe. A missing file gives <see cref="ModelFileMissingException"/> at first use.
/// </summary>
public sealed class VisionModels : IDisposable
{
    private readonly List<OnnxModel> _opened = [];
    private readonly Lazy<BlipCaptioner> _captioner;
    private readonly Lazy<ClipSegMasker> _masker;
    private readonly Lazy<Swin2SrUpscaler> _upscaler;
    private readonly Lazy<YuNetDetector> _detector;

    public VisionModels(string modelsFolder, VisionOptions options)
    {
        Folder = modelsFolder;
        Options = options;
        var (blip, clipseg) = (Path.Combine(modelsFolder, "blip"), Path.Combine(modelsFolder, "clipseg"));
        OnnxModel blipVision = Model("blip", "vision_model.onnx"),
            blipDecoder = Model("blip", "text_decoder.onnx");
        OnnxModel clipsegModel = Model("clipseg", "model.onnx"),
            swin2Sr = Model("swin2sr", "model.onnx"),
            yunet = Model("yunet", "model.onnx");
        // PublicationOnly: a failure (a file missing) is not remembered.
        _captioner = new(
            () => new BlipCaptioner(blip, blipVision, blipDecoder, options.MaxCaptionTokens),
            LazyThreadSafetyMode.PublicationOnly
        );
        _masker = new(() => new ClipSegMasker(clipseg, clipsegModel), LazyThreadSafetyMode.PublicationOnly);
        _upscaler = new(() => new Swin2SrUpscaler(swin2Sr, options.UpscaleTile), LazyThreadSafetyMode.PublicationOnly);
        _detector = new(() => new YuNetDetector(yunet), LazyThreadSafetyMode.PublicationOnly);

        OnnxModel Model(string folder, string file)
        {
            var model = new OnnxModel(Path.Combine(modelsFolder, folder, file), options);
            _opened.Add(model);
            return model;
        }
    }

    public string Folder { get; }

    public VisionOptions Options { get; }

    public BlipCaptioner Captioner => _captioner.Value;

    public ClipSegMasker Masker => _masker.Value;

    public Swin2SrUpscaler Upscaler => _upscaler.Value;

    public YuNetDetector Detector => _detector.Value;

    public void Dispose()
    {
        foreach (var model in _opened)
            model.Dispose();
    }
}
