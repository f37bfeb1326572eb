using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Core.Predictions;
using Sdxl.Core.Storage;
using Sdxl.Diffusion.Pipelines;
using Sdxl.GpuWorker.Storage;
using Sdxl.Pictures;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>
/// What the drawing thread tells of one prediction, on its way into storage: each picture as soon as it is drawn, and how far the drawing
/// is, at most once every so many seconds.
/// </summary>
/// <param name="progressSeconds">Between two words about progress; pictures are told at once.</param>
public sealed class PredictionReport(
    PredictionJob job,
    string device,
    double progressSeconds,
    JobBlobs blobs,
    EventSender events,
    TimeProvider time
) : IProgress<GenerationProgress>
{
    private readonly Lock _lock = new();
    private readonly PredictionLog _log = new();
    private readonly List<DrawnPicture> _pictures = [];
    private readonly Channel<GeneratedPicture?> _news = Channel.CreateUnbounded<GeneratedPicture?>(
        new UnboundedChannelOptions { SingleReader = true }
    );
    private DateTimeOffset? _began;
    private DateTimeOffset _lastTold;
    private int _first, _step, _total;
    private double? _speed;

    /// <summary>All that lie in storage.</summary>
    public IReadOnlyList<DrawnPicture> Pictures
    {
        get
        {
            lock (_lock)
                return [.. _pictures];
        }
    }

    /// <param name="prompt">As the nets read it: the fine-tune's words in place of the trigger word.</param>
    public void Begin(string prompt)
    {
        lock (_lock)
        {
            _log.Begin(job.Inputs, prompt);
            _lastTold = time.GetUtcNow();
        }
        _news.Writer.TryWrite(null);
    }

    /// <summary>From the drawing thread.</summary>
    public void Report(GenerationProgress value)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            (_step, _total) = (value.Picture * value.Steps + value.Step, value.Pictures * value.Steps);
            if (_began is null)
                (_began, _first) = (now, _step);
            var elapsed = now - _began.Value;
            _speed = elapsed > TimeSpan.Zero && _step > _first ? (_step - _first) / elapsed.TotalSeconds : null;
            _log.Step(_step, _total, elapsed, _speed);
            if (now - _lastTold < TimeSpan.FromSeconds(progressSeconds))
                return;
            _lastTold = now;
        }
        _news.Writer.TryWrite(null);
    }

    /// <inheritdoc cref="Report"/>
    public void Drawn(GeneratedPicture picture) => _news.Writer.TryWrite(picture);

    /// <summary>Nothing more is drawn.</summary>
    public void Complete() => _news.Writer.TryComplete();

    /// <summary>Works until <see cref="Complete"/> and everything is in storage.</summary>
    /// <exception cref="Azure.RequestFailedException">A picture cannot be stored. (Progress that cannot be is missed by
    /// nobody.)</exception>
    public async Task StoreAllAsync()
    {
        await TellAsync(new DrawingStarted(job.Prediction, 1, time.GetUtcNow(), device));
        await foreach (var picture in _news.Reader.ReadAllAsync(CancellationToken.None))
        {
            if (picture is not null)
                await StoreAsync(picture);
            else if (!_news.Reader.TryPeek(out _)) // what follows tells more
                await StoreStateAsync();
            if (picture is null && job.TellsLogs)
                await TellAsync(new DrawingLogged(job.Prediction, 1, time.GetUtcNow()));
        }
    }

    /// <summary>The newest state, with the whole log.</summary>
    public async Task StoreStateAsync()
    {
        DrawingState state;
        lock (_lock)
        {
            var left = (_total - _step) / _speed;
            state = new DrawingState(time.GetUtcNow(), device, _step, _total, _speed, left, [.. _pictures], _log.ToString());
        }
        await TryAsync(() =>
            blobs.UploadAsync(
                StorageLayout.Jobs,
                StorageLayout.Drawing(job.Prediction),
                Encoding.UTF8.GetBytes(SdxlJson.Serialize(state)),
                CancellationToken.None
            )
        );
    }

    private async Task StoreAsync(GeneratedPicture picture)
    {
        var file = string.Create(CultureInfo.InvariantCulture, $"out-{picture.Index}.png");
        var thumbnail = picture.Flagged ? null : Path.ChangeExtension(file, Thumbnails.Extension);
        var pixels = new PixelGrid(picture.Width, picture.Height, 3, picture.Rgb);
        await Task.WhenAll(
            StoreAsync(file, () => Png(picture)),
            thumbnail is null ? Task.CompletedTask : StoreAsync(thumbnail, () => Thumbnails.Of(pixels)));
        lock (_lock)
            _pictures.Add(new DrawnPicture(file, picture.Seed, picture.Flagged, thumbnail));
        if (picture.Index + 1 == job.Inputs.NumOutputs)
            return; // the end is told right after this
        await StoreStateAsync();
        await TellAsync(new PictureDrawn(job.Prediction, 1, time.GetUtcNow(), Pictures));
    }

    /// <summary>Encoded on another thread: whoever waits for the picture waits for the slower of its two files alone.</summary>
    private Task StoreAsync(string file, Func<byte[]> encode) => Task.Run(() =>
        blobs.UploadAsync(StorageLayout.Predictions, StorageLayout.Drawn(job.Prediction, file), encode(), CancellationToken.None));

    private Task TellAsync(WorkerEvent happened) => TryAsync(() => events.SendAsync(happened, CancellationToken.None));

    private static async Task TryAsync(Func<Task> told) => await told().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private byte[] Png(GeneratedPicture picture)
    {
        using var image = Image.LoadPixelData<Rgb24>(picture.Rgb, picture.Width, picture.Height);
        var text = image.Metadata.GetPngMetadata().TextData;
        text.Add(new PngTextData("prompt", job.Inputs.Prompt, "", ""));
        text.Add(new PngTextData("seed", picture.Seed.ToString(CultureInfo.InvariantCulture), "", ""));
        using var stream = new MemoryStream();
        image.SaveAsPng(stream);
        return stream.ToArray();
    }
}
