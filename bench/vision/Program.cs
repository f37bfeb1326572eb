using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Sdxl.Bench.Vision;
using Sdxl.Vision;
using Sdxl.Vision.Models;
using Sdxl.Vision.Pictures;
using Sdxl.Vision.Upscaling;

// Stages, one at a time: the ONNX runs alone, with tensors that are ready, on both sides. Whole chain: a data set's pictures; ours side by side as in the product and with
// everything from the decoded picture on (resizing, tokens, masks, non-maximum suppression, pixels back to bytes), the peer's ONNX runs alone, with all its threads
// (its run() holds node's only JavaScript thread, so it has no side by side). Rounds alternate, so both see the same machine.
const int BurnIn = 10, Pictures = 8;
var rounds = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 20;
var root = FindRoot();
var threads = Math.Clamp(Environment.ProcessorCount, 1, 4);
using var models = new VisionModels(Path.Combine(root, "models"), new VisionOptions { Threads = threads });
using var product = new VisionModels(Path.Combine(root, "models"), new VisionOptions());

var goldens = Path.Combine(root, "tests", "fixtures", "goldens", "vision");
var loader = new PictureLoader(new PictureLimits());
var picture = Load("house.png");
var small = Load("house-small.png");
string[] prompts = ["a photo of a house"];

var inputs = Directory.CreateTempSubdirectory("sdxl-bench-vision-").FullName;
try
{
    WriteInputs();
    using var peer = new NodePeer(root, inputs, threads);
    var (blipPixels, clipsegPixels) = (models.Captioner.Preprocess(picture), models.Masker.Preprocess(picture));
    var square = PictureResizer.Resize(picture, models.Detector.InputSide, models.Detector.InputSide, ResizeFilter.Bilinear);
    var padded = Swin2SrUpscaler.Pad(small);
    var swin2SrPixels = Swin2SrUpscaler.Tensor(padded);

    Console.WriteLine($"{RuntimeInformation.OSDescription}, {Environment.ProcessorCount} processors, .NET {Environment.Version}, ONNX Runtime with {threads} threads, {rounds} rounds after {BurnIn}");
    Console.WriteLine($"{"",-44} {"ours ms",9} {"node ms",9} {"ratio",7}   25-75 %: ours, node");
    Compare("BLIP: embed, greedy caption", 1, ["blip"], () => models.Captioner.Caption(blipPixels));
    Compare("CLIPSeg: a prompt against none", 1, ["clipseg"], () => models.Masker.Logits(clipsegPixels, [.. prompts, ""]));
    Compare("YuNet: faces", 1, ["yunet"], () => models.Detector.Run(square));
    Compare("Swin2SR: 64 x 64 to 256 x 256", 1, ["swin2sr"], () => models.Upscaler.Run(swin2SrPixels, padded.Width, padded.Height));
    Compare($"whole chain, {Pictures} pictures", Pictures, ["blip", "clipseg", "yunet", "swin2sr"], () => Parallel.For(0, Pictures, new ParallelOptions { MaxDegreeOfParallelism = product.Options.ParallelPictures }, _ =>
    {
        product.Captioner.Caption(picture);
        product.Masker.Mask(picture, prompts);
        product.Detector.Detect(picture);
        product.Upscaler.Upscale(small);
    }));

    void Compare(string what, int times, string[] stages, Action ours)
    {
        var (mine, theirs) = (new List<double>(), new List<double>());
        for (var round = -BurnIn; round < rounds; round++)
        {
            var clock = Stopwatch.StartNew();
            ours();
            var own = clock.Elapsed.TotalMilliseconds;
            var other = Enumerable.Range(0, times).Sum(_ => stages.Sum(peer.Milliseconds));
            if (round < 0)
                continue;
            mine.Add(own);
            theirs.Add(other);
        }
        var (ownMedian, otherMedian) = (Quantile(mine, 0.5), Quantile(theirs, 0.5));
        Console.WriteLine($"{what,-44} {ownMedian,9:0.0} {otherMedian,9:0.0} {ownMedian / otherMedian,7:0.00}   {Quantile(mine, 0.25):0.0}-{Quantile(mine, 0.75):0.0}, {Quantile(theirs, 0.25):0.0}-{Quantile(theirs, 0.75):0.0}");
    }
}
finally
{
    Directory.Delete(inputs, recursive: true);
}

static double Quantile(List<double> values, double at) => values.Order().ElementAt((int)(at * (values.Count - 1)));

PixelGrid Load(string name)
{
    using var stream = File.OpenRead(Path.Combine(goldens, name));
    return loader.Load(stream, name).Pixels;
}

// Raw little-endian arrays and one JSON with their shapes.
void WriteInputs()
{
    var (ids, attention) = models.Masker.Tokenize([.. prompts, ""]);
    var clipseg = models.Masker.Preprocess(picture);
    var side = models.Detector.InputSide;
    var padded = Swin2SrUpscaler.Pad(small);
    var caption = models.Captioner.Caption(picture);
    Write("blip.pixels", models.Captioner.Preprocess(picture));
    Write("clipseg.ids", ids);
    Write("clipseg.attention", attention);
    Write("clipseg.pixels", [.. clipseg, .. clipseg]);
    Write("yunet.pixels", PixelTensor.BlueGreenRed(PictureResizer.Resize(picture, side, side, ResizeFilter.Bilinear)));
    Write("swin2sr.pixels", Swin2SrUpscaler.Tensor(padded));
    File.WriteAllText(Path.Combine(inputs, "shapes.json"), System.Text.Json.JsonSerializer.Serialize(new
    {
        start = caption.Ids[0], end = caption.Ids[^1], tokens = caption.Ids.Count - 1,
        blip = (int)Math.Sqrt(models.Captioner.Preprocess(picture).Length / 3), clipseg = (int)Math.Sqrt(clipseg.Length / 3), yunet = side,
        swin2srWidth = padded.Width, swin2srHeight = padded.Height,
    }));
}

void Write<T>(string name, T[] values)
    where T : unmanaged => File.WriteAllBytes(Path.Combine(inputs, name), MemoryMarshal.AsBytes(values.AsSpan()).ToArray());

static string FindRoot()
{
    for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
    {
        if (File.Exists(Path.Combine(folder.FullName, "Directory.Packages.props")))
            return folder.FullName;
    }
    throw new DirectoryNotFoundException("Run it from inside the repository.");
}
