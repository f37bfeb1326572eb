using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Training;

/// <summary>All that chance decides in a batch, on the training's device.</summary>
/// <param name="Timesteps">Of each sample, also here.</param>
/// <param name="Index">[B] int64: the pictures.</param>
/// <param name="Times">[B] int64: the timesteps.</param>
/// <param name="Noise">[B, C, H, W].</param>
/// <param name="Posterior">[B, C, H, W].</param>
/// <param name="Offset">[B, C, 1, 1]; null without noise offset.</param>
internal sealed record BatchDraw(int[] Timesteps, Tensor Index, Tensor Times, Tensor Noise, Tensor Posterior, Tensor? Offset)
{
    public IEnumerable<Tensor> Tensors => new[] { Index, Times, Noise, Posterior, Offset }.OfType<Tensor>();
}

/// <summary>
/// Brings each batch's draws to the device. For a GPU the next batch's are drawn on another thread, into pinned memory, while this one
/// computes, and copied without waiting: a copy from ordinary memory would wait until the device has done all before. On the processor they
/// are drawn when asked for, at no extra cost.
/// </summary>
/// <remarks>What is drawn is a function of the batch's number, so it does not matter when or where it is drawn.</remarks>
internal sealed class BatchFeed(ITrainingNoise noise, TrainingData data, bool withOffset, Device device, int batches, bool? ahead = null)
    : IDisposable
{
    private readonly bool ahead = ahead ?? device.type == DeviceType.CUDA;
    private (int Batch, Task<BatchDraw> Draw)? next;

    /// <summary>The draws of a batch; the tensors belong to the caller's dispose scope.</summary>
    public BatchDraw Take(int batch)
    {
        if (!ahead)
            return OnDevice(Draw(batch), waiting: true);
        if (next?.Batch != batch)
        {
            Forget(); // the first batch, or not the one after the last
            next = (batch, Task.Run(() => Pinned(Draw(batch))));
        }
        var drawn = next!.Value.Draw.GetAwaiter().GetResult();
        next = batch + 1 < batches ? (batch + 1, Task.Run(() => Pinned(Draw(batch + 1)))) : null;
        var moved = OnDevice(drawn, waiting: false);
        foreach (var tensor in drawn.Tensors)
            tensor.Dispose(); // libtorch keeps pinned memory until its copies are done
        return moved;
    }

    public void Dispose() => Forget();

    private void Forget()
    {
        if (next is not { } pending)
            return;
        next = null;
        ((Task)pending.Draw).ContinueWith(_ => { }, TaskScheduler.Default).Wait(); // a failure does not matter any more
        if (pending.Draw.IsCompletedSuccessfully)
        {
            foreach (var tensor in pending.Draw.Result.Tensors)
                tensor.Dispose();
        }
    }

    private BatchDraw Draw(int batch)
    {
        var (pictures, times) = (noise.Pictures(batch), noise.Timesteps(batch));
        var shape = data.BatchShape(pictures.Length);
        return new BatchDraw(
            times,
            Numbers(pictures),
            Numbers(times),
            noise.Noise(batch, shape),
            noise.Posterior(batch, shape),
            withOffset ? noise.Offset(batch, [shape[0], shape[1], 1, 1]) : null
        );
    }

    private BatchDraw Pinned(BatchDraw drawn) => device.type != DeviceType.CUDA ? drawn : Each(drawn, t =>
    {
        using (t)
            return t.pin_memory();
    });

    /// <param name="waiting">From ordinary memory. A copy even on the same device where the source is disposed.</param>
    private BatchDraw OnDevice(BatchDraw drawn, bool waiting) =>
        Each(drawn, t => waiting ? t.to(device) : t.to(device, copy: true, non_blocking: true));

    private static BatchDraw Each(BatchDraw drawn, Func<Tensor, Tensor> change) =>
        drawn with
        {
            Index = change(drawn.Index),
            Times = change(drawn.Times),
            Noise = change(drawn.Noise),
            Posterior = change(drawn.Posterior),
            Offset = drawn.Offset is { } offset ? change(offset) : null,
        };

    private static Tensor Numbers(int[] values) => tensor(Array.ConvertAll(values, v => (long)v));
}
