using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Sdxl.Core.Hosting;
using Sdxl.Bench.Vision;
using Sdxl.Vision;
using Sdxl.Vision.Models;
using Sdxl.Pictures;
using Sdxl.Vision.Upscaling;

// dotnet run -- [ROUNDS] [ROWS] [--json]: ROWS is a part of a row's name, for example "YuNet".
// "one run": the ONNX runs of one picture with tensors that are ready, one thread on both sides: what our way to the library costs.
// "8 pictures": the same ONNX runs as the product does them, with its own options, side by side; the peer with one thread or with all
// processors, whichever is faster for it (its run() holds node's only JavaScript thread, so it has no side by side). "chain": all stages,
// ours with everything from the decoded picture on (resizing, tokens, masks, non-maximum suppression, pixels back to bytes), the peer's
// ONNX runs alone.
const int Pictures = 8;
var json = args.Contains("--json");
var rounds = args.Where(arg => arg.All(char.IsAsciiDigit))
    .Select(arg => int.Parse(arg, CultureInfo.InvariantCulture))
    .DefaultIfEmpty(12)
    .First();
var wanted = args.FirstOrDefault(arg => arg != "--json" && !arg.All(char.IsAsciiDigit)) ?? "";
var root = Repository.Required;
using var models = new VisionModels(Path.Combine(root, "models"), new VisionOptions());
var single = new VisionModels(Path.Combine(root, "models"), new VisionOptions { Threads = 1 });

var goldens = Path.Combine(root, "tests", "fixtures", "goldens", "vision");
var loader = new PictureLoader(new PictureLimits());
var picture = Load("house.png");
var small = Load("house-small.png");
string[] prompts = ["a photo of a house"];

var (blipPixels, clipsegPixels) = (models.Captioner.Preprocess(picture), models.Masker.Preprocess(picture));
var yunetPixels = PixelTensor.BlueGreenRed(
    PictureResizer.Resize(picture, models.Detector.InputSide, models.Detector.InputSide, ResizeFilter.Bilinear)
);
var padded = Swin2SrUpscaler.Pad(small);
var swin2SrPixels = Swin2SrUpscaler.Tensor(padded);
(string Name, string Stage, Action<VisionModels> Run)[] stages =
[
    ("BLIP greedy caption", "blip", vision => vision.Captioner.Caption(blipPixels)),
    ("CLIPSeg mask", "clipseg", vision => vision.Masker.Logits(clipsegPixels, [.. prompts, ""])),
    ("YuNet faces", "yunet", vision => vision.Detector.Run(yunetPixels)),
    ("Swin2SR 64 to 256", "swin2sr", vision => vision.Upscaler.Run(swin2SrPixels, padded.Width, padded.Height, (planes, _) => planes[^1])),
    ("chain", "chain", Chain),
];

var inputs = Directory.CreateTempSubdirectory("sdxl-bench-vision-").FullName;
try
{
    WriteInputs();
    using var one = new NodePeer(root, inputs, 1);
    using var all = new NodePeer(root, inputs, Environment.ProcessorCount);
    Print($"{RuntimeInformation.OSDescription}, {Environment.ProcessorCount} processors, .NET {Environment.Version}, {rounds} rounds");
    Print($"{"",-34} {"ours ms",9} {"node ms",9} {"ratio",6} {"ours MiB",9} {"node MiB",9}   min..75 %: ours, node");
    foreach (var (name, stage, run) in stages.Where(stage => stage.Stage != "chain"))
        Compare(new Comparison([one], rounds), $"vision {name}, one run", stage, 1, () => run(single));
    single.Dispose();           // its memory is not to count below
    foreach (var (name, stage, run) in stages)
        Compare(new Comparison([one, all], rounds), $"vision {name}, {Pictures} pictures", stage, Pictures, () => SideBySide(run));
}
finally
{
    Directory.Delete(inputs, recursive: true);
}

void SideBySide(Action<VisionModels> run) =>
    Parallel.For(0, Pictures, new ParallelOptions { MaxDegreeOfParallelism = models.Options.ParallelPictures }, _ => run(models));

void Chain(VisionModels vision)
{
    vision.Captioner.Caption(picture);
    vision.Masker.Mask(picture, prompts);
    vision.Detector.Detect(picture);
    vision.Upscaler.Upscale(small);
}

void Compare(Comparison comparison, string name, string stage, int pictures, Action ours)
{
    if (!name.Contains(wanted, StringComparison.OrdinalIgnoreCase))
        return;
    var (row, detail) = comparison.Run(name, stage, pictures, ours);
    if (json)
        Console.WriteLine(row.ToJson());
    else
        Print($"{row.Name,-34} {row.OursMs,9:0.00} {row.PeerMs,9:0.00} {row.Ratio,6:0.00} {row.OursMib,9:0} {row.PeerMib,9:0}   {detail}");
}

void Print(FormattableString line)
{
    if (!json)
        Console.WriteLine(FormattableString.Invariant(line));
}

PixelGrid Load(string name)
{
    using var stream = File.OpenRead(Path.Combine(goldens, name));
    return loader.Load(stream, name).Pixels;
}

// Raw little-endian arrays and one JSON with their shapes.
void WriteInputs()
{
    var (ids, attention) = models.Masker.Tokenize([.. prompts, ""]);
    var caption = models.Captioner.Caption(picture);
    Write("blip.pixels", blipPixels);
    Write("clipseg.ids", ids);
    Write("clipseg.attention", attention);
    Write("clipseg.pixels", [.. clipsegPixels, .. clipsegPixels]);
    Write("yunet.pixels", yunetPixels);
    Write("swin2sr.pixels", swin2SrPixels);
    File.WriteAllText(Path.Combine(inputs, "shapes.json"), JsonSerializer.Serialize(new
    {
        start = caption.Ids[0], end = caption.Ids[^1], tokens = caption.Ids.Count - 1,
        blip = (int)Math.Sqrt(blipPixels.Length / 3), clipseg = (int)Math.Sqrt(clipsegPixels.Length / 3), yunet = models.Detector.InputSide,
        swin2srWidth = padded.Width, swin2srHeight = padded.Height,
    }));
}

void Write<T>(string name, T[] values)
    where T : unmanaged => File.WriteAllBytes(Path.Combine(inputs, name), MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
