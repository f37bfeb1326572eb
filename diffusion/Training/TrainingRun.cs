using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Sdxl.Core.Bases;
using Sdxl.Core.Captions;
using Sdxl.Core.Datasets;
using Sdxl.Core.Faults;
using Sdxl.Core.Json;
using Sdxl.Core.Trainings;
using Sdxl.Diffusion.Export;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Training;

/// <summary>
/// A training from a prepared data set to finished files: data, steps, log, checkpoints, samples, export.
/// It can be stopped after any step or killed at any moment; run again with the same plan it goes on from the newest whole checkpoint to
/// the same bits (the number of threads is the checkpoint's, so the machine may have another number of cores). On a GPU the gradients of
/// attention and convolutions are summed in changing order, which TorchSharp cannot forbid (0.107.0: use_deterministic_algorithms is not
/// implemented): there two runs, resumed or not, differ in their last bits.
/// </summary>
public sealed class TrainingRun
{
    /// <summary>Steps whose numbers are read from a GPU together: reading waits for the device.</summary>
    private const int StepsReadTogether = 8;

    /// <summary>Non-finite losses that are answered by going back at half the rate.</summary>
    private const int MaxRollbacks = 3;

    /// <summary>prodigy is meant to run at a rate of 1; the defaults are AdamW's.</summary>
    private const double LeastProdigyRate = 0.05;

    private readonly TrainingPlan plan;
    private readonly ITrainingObserver observer;
    private readonly TrainingDevice given; // this machine's
    private TrainingDevice device;         // with a checkpoint's number of threads
    private readonly TrainingSettings settings;
    private readonly DatasetReader dataset;
    private readonly IReadOnlyList<int> trained, heldOut; // entries of the data set
    private readonly CheckpointStore checkpoints;
    private readonly string hash;
    private readonly string baseIdentity;
    private int rollbacks;
    private double? devicePeak; // MiB

    private TrainingRun(TrainingPlan plan, ITrainingObserver observer)
    {
        (this.plan, this.observer) = (plan, observer);
        given = device = plan.Device ?? TrainingDevice.Best();
        dataset = new DatasetReader(
            plan.DatasetFolder,
            Nets.VaeConfig.Load(Path.Combine(SdxlModel.ConfigFolder(plan.Base.ModelPath), "vae", "config.json")).Downscale
        );
        var schedule = SdxlModel.ScheduleOf(plan.Base.ModelPath);
        var unseen = HeldOutPictures.Of(dataset.Manifest, plan.Inputs.HeldOutPictures);
        (trained, heldOut) = Split(dataset.Manifest.Pictures, unseen);
        settings = TrainingSettings.From(plan.Inputs, trained.Count, schedule.PredictsVelocity);
        if (
            !new TriggerWords(dataset.Manifest.Trigger).All.SequenceEqual(
                new TriggerWords(plan.Inputs.TokenString).All,
                StringComparer.OrdinalIgnoreCase
            )
        )
            throw new TrainingException(
                $"The data set's trigger is '{dataset.Manifest.Trigger}', input 'token_string' is '{plan.Inputs.TokenString}'. Prepare the "
                    + "data set with the same words."
            );
        checkpoints = new CheckpointStore(Path.Combine(plan.WorkFolder, "checkpoints"));
        baseIdentity = plan.BaseIdentity ?? BaseIdentity.Of(plan.Base.ModelPath, cacheFile: null);
        // The same settings on other pictures, another base or another version to begin with are another training; a base is its files,
        // whatever its name.
        hash = Convert.ToHexStringLower(
            SHA256.HashData(
                Encoding.UTF8.GetBytes(
                    $"{settings.Hash()}\n{SdxlJson.Serialize(settings.ScheduleFrom(schedule))}\n{baseIdentity}\n{plan.Inputs.TrainBatchSize}\n{SdxlJson.Serialize(dataset.Manifest)}"
                        + (plan.Parent is null ? "" : $"\n{plan.Parent.Version}")
                        + (heldOut.Count == 0 ? "" : $"\nheld out: {string.Join(", ", heldOut)}")
                )
            )
        );
    }

    /// <summary>Trains to the end, or until <paramref name="stop"/>: then a checkpoint is written at the end of the current step.</summary>
    /// <exception cref="TrainingException">
    /// The training cannot start, the loss stayed non-finite after three restarts at half the rate, or it ended far above where it began.
    /// </exception>
    public static TrainingOutcome Run(TrainingPlan plan, ITrainingObserver observer, CancellationToken stop)
    {
        var run = new TrainingRun(plan, observer);
        if (plan.Given is not null)
        {
            foreach (var line in TrainingInputs.WithoutEffect(plan.Given, plan.Inputs))
                observer.Log(line);
        }
        if (run.settings.Optimizer == "prodigy" && Math.Max(run.settings.Rate, run.settings.TokenRate) < LeastProdigyRate)
        {
            observer.Log(
                FormattableString.Invariant(
                    $"Optimizer prodigy finds its own rate and multiplies it by {SettingName(plan)} ({run.settings.Rate}) and ti_lr ({run.settings.TokenRate}): "
                ) + "with these hardly anything is learned. Set both to 1."
            );
        }
        try
        {
            while (true)
            {
                try
                {
                    return run.FromNewestCheckpoint(stop);
                }
                catch (NonFiniteLossException e) when (run.rollbacks < MaxRollbacks)
                {
                    run.rollbacks++;
                    observer.Log($"{e.Message} Going back to the last checkpoint at half the rate ({run.rollbacks} of {MaxRollbacks}).");
                }
                catch (NonFiniteLossException e)
                {
                    throw new TrainingException(
                        $"The training diverges: {e.Message} It went back to the last checkpoint {MaxRollbacks} times, each time at half "
                            + "the rate. "
                        + $"Lower {SettingName(plan)} or ti_lr, or raise lr_warmup_steps.", e);
                }
            }
        }
        finally
        {
            if (run.device.Threads != run.given.Threads)
                run.given.Apply(); // a checkpoint's number of threads was for this run alone
        }
    }

    private static string SettingName(TrainingPlan plan) => plan.Inputs.IsLora ? "lora_lr" : "unet_learning_rate";

    // ---- one attempt

    private TrainingOutcome FromNewestCheckpoint(CancellationToken stop)
    {
        using var scope = NewDisposeScope();
        var found = checkpoints.Newest(hash, baseIdentity, observer.Log);
        // What is torn, of other settings or of an abandoned end would outlast this run's own checkpoints, of which only the newest are
        // kept.
        checkpoints.DropAfter(found?.Info.Step ?? 0);
        if (found is not null)
            GoOnAs(found.Info);
        device.Apply(); // before the first tensor is computed
        using var model = SdxlModel.Load(plan.Base.ModelPath, device.For(plan.Inputs.IsLora));
        var prompts = new PromptTokens(model, dataset.Manifest.Trigger, settings.TokenVectors);
        var (data, unseen) = ReadData(model, prompts);
        using var _ = data;
        using var __ = unseen;
        var nets = new TrainedNets(
            model.UNet,
            model.TextEncoder!,
            model.TextEncoder2,
            model.Tokenizer!.EndOfText,
            model.Tokenizer2.EndOfText
        );
        var schedule = settings.ScheduleFrom(model.Schedule).Noise();
        var noise = new CounterNoise(settings.Seed, data.Pictures, plan.Inputs.TrainBatchSize, schedule.Timesteps);
        // A checkpoint holds all that trains: the version it once began with is not read again.
        using var trainer = found is null && plan.Parent is { } parent
            ? FromParent(parent, model, weights => new Trainer(settings, nets, data, noise, schedule, device.Compute, weights, unseen))
            : new Trainer(settings, nets, data, noise, schedule, device.Compute, null, unseen);
        var done = found is null ? 0 : Restore(trainer, found);
        trainer.RateFactor = Math.Pow(0.5, rollbacks);
        var start = found is null ? JudgeBase(trainer) : found.Info.Start;

        using var metrics = new MetricsLog(Path.Combine(plan.WorkFolder, MetricsLog.FileName), done);
        observer.Started(device.ToString(), done, settings.Steps); // who hears it may read the numbers, which end at this step now
        using var samples = new TrainingSamples(plan, settings, model, prompts, trainer, observer);
        samples.DropAfter(found?.Info.Samples == samples.Key ? done : -1);
        var kept = new KeptWeights(
            plan.WorkFolder,
            (step, folder) =>
                new TrainingExport(plan with { OutputFolder = folder }, settings, dataset.Manifest, model, trainer, samples)
                    .WriteCheckpoint(step),
            observer
        );
        kept.Begin(done);
        var clock = Stopwatch.StartNew();
        var ended = EndsAt(done);
        if (ended)
            samples.End = done;
        if (!TryDraw(done, asked: false))
            return new TrainingOutcome.Stopped(done);
        clock.Restart();
        var unread = new List<StepTensors>();
        var freed = false;
        while (!ended)
        {
            clock.Stop(); // standing still is not part of a step's time
            plan.BetweenSteps?.Invoke();
            clock.Start();
            if (done >= settings.Pivot && !freed)
            {
                samples.CacheTexts();
                trainer.PassPivot();
                model.FreeTextEncoders();
                freed = true;
                observer.Log(
                    $"Pivot at step {done}: the trigger word's vectors are frozen, text states are cached, the text encoders freed."
                );
            }
            unread.Add(trainer.Step(done));
            done++;
            FaultPoints.Hit(FaultPoints.TrainingStep);
            ended = EndsAt(done); // asked once a step: it may be asked to end at any moment
            if (ended)
                samples.End = done;
            var checkpointIsDue = ended || done % plan.Inputs.CheckpointingSteps == 0;
            var asked = plan.SamplesAsked?.Invoke() == true;
            var isRow = ended || asked || done % plan.Inputs.SampleEverySteps == 0;
            if (checkpointIsDue || !device.Cuda || unread.Count == StepsReadTogether || isRow)
                ReadNumbers(unread, done, schedule.Timesteps, clock, metrics, isRow ? trainer.HeldOut : null);
            var stopping = stop.IsCancellationRequested && !ended;
            if (stopping && unread.Count > 0)
                ReadNumbers(unread, done, schedule.Timesteps, clock, metrics, measure: null);
            if ((stopping && !plan.Canceled.IsCancellationRequested) || checkpointIsDue)
                WriteCheckpoint(trainer, samples.Key, start, done);
            if (stopping)
                return new TrainingOutcome.Stopped(done);
            if (!TryDraw(done, asked))
                return new TrainingOutcome.Stopped(done);
        }
        if (done < settings.Steps)
            observer.Log($"Ended at step {done} of {settings.Steps}, as asked; what is trained by then is kept.");
        if (start is not null)
            RefuseWhatUnlearned(start, trainer.Judge());
        else
            observer.Log(
                "The training began under an older build, which did not note what the base model gets wrong: its end is not judged."
            );
        var steps = MetricsLog.Read(Path.Combine(plan.WorkFolder, MetricsLog.FileName)).ToList();
        // A row that somebody asked for is in no file, so that asking changes none.
        var regular = steps.Select(m => m.Step == done || m.Step % plan.Inputs.SampleEverySteps == 0 ? m : m with { HeldOut = null });
        var files = new TrainingExport(plan, settings, dataset.Manifest, model, trainer, samples).Write([.. regular]);
        foreach (var file in files)
            observer.Log($"Wrote {file}.");
        if (settings.Lora is { Dora: true })
        {
            // Read in comfy/weight_adapter/base.py (weight_decompose) and A1111's extensions-builtin/Lora/network.py
            // (apply_weight_decompose), 2026-11.
            observer.Log(
                $"{TrainingExport.KohyaName(plan.ModelName)} holds DoRA's lengths of output rows, as PEFT and LyCORIS do. ComfyUI and "
                    + "Forge divide by the base model's row lengths instead: nearly the same pictures. "
                    + $"A1111 divides by columns: other pictures. Where that matters use {TrainingExport.PeftName(plan.ModelName)} with "
                    + "diffusers, or train without use_dora."
            );
        }
        var measured = MetricsLog.HeldOut(steps);
        if (Recommendation.Of(measured) is { } best)
            observer.Log(FormattableString.Invariant($"Recommended: step {best.Step:N0}. {best.Reason}"));
        return new TrainingOutcome.Completed(done, files, measured);

        // With the weights, where they are kept. false: it was to stop, and has left a checkpoint.
        bool TryDraw(int at, bool asked)
        {
            clock.Stop(); // drawing is not part of a step's time
            try
            {
                samples.Draw(at, asked, stop);
                if (plan.Inputs.KeepsWeights() && at > 0 && !ended && (asked || samples.AreDue(at)))
                    kept.Keep(at, rollbacks);
                return true;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                if (!plan.Canceled.IsCancellationRequested)
                    WriteCheckpoint(trainer, samples.Key, start, at);
                return false;
            }
            finally
            {
                clock.Start();
            }
        }
    }

    private Trainer FromParent(TrainingParent parent, SdxlModel model, Func<ParentWeights, Trainer> make)
    {
        using var weights = new ParentWeights(parent, model);
        var trainer = make(weights);
        observer.Log($"Goes on from {parent.Version}: its weights and its trigger word's vectors; the optimizer begins anew.");
        return trainer;
    }

    /// <summary>
    /// After all steps, or earlier where that is asked for; the first is done in any case: an untrained version is of no use to anybody.
    /// </summary>
    private bool EndsAt(int done) => done >= settings.Steps || (done > 0 && plan.StopEarly.IsCancellationRequested);

    private OwnErrors JudgeBase(Trainer trainer)
    {
        var start = trainer.Judge();
        return start.AreNumbers
            ? start
            : throw new TrainingException(
                $"Base model '{plan.Base.Name}'{(plan.Parent is null ? "" : $" with version '{plan.Parent.Version}'")} answers with "
                    + "infinity or no number before any training: "
                    + $"its weights are damaged, or too large for {device.Compute}. Bring the model's files anew, then train again."
            );
    }

    /// <summary>A divergence that stayed finite fails like one that did not, with the same advice.</summary>
    /// <remarks>
    /// It is not published with a warning: a published version is at once the newest of its model, and whatever draws with the model's name
    /// draws with it; a warning would be read by people only. Nothing is lost: such weights are worse at their own pictures than the base.
    /// </remarks>
    private void RefuseWhatUnlearned(OwnErrors start, OwnErrors end)
    {
        observer.Log($"Mean squared error on the training's own pictures, under the same noise: {start} before, {end} after.");
        if (end.FarAbove(start))
        {
            throw new TrainingException(
                $"The training diverges: on its own pictures, under the same noise, the mean squared error was {start} before and is {end} "
                    + "after it. "
                    + $"It unlearned what {(plan.Parent is null ? "the base model" : "the version it began with")} knows, so nothing is "
                    + $"published. Lower {SettingName(plan)} or ti_lr, or raise lr_warmup_steps."
            );
        }
    }

    /// <summary>What is trained on, and what is held out of it (null: nothing).</summary>
    private (TrainingData Own, TrainingData? HeldOut) ReadData(SdxlModel model, PromptTokens prompts)
    {
        using var scope = NewDisposeScope();
        var vaeHash = File.Exists(plan.Base.ModelPath)
            ? HashOfVae(plan.Base.ModelPath)
            : HashOfWeights(Path.Combine(plan.Base.ModelPath, "vae"));
        var (mean, deviation) = dataset.Latents(Path.Combine(plan.WorkFolder, "cache"), vaeHash, model.Vae, observer.Log);
        var scaled = model.Vae.Scale(mean);
        // Scale is affine: what it does to a deviation is what it does to mean + deviation, less what it does to mean.
        var scaledDeviation = model.Vae.Scale(mean.Plus(deviation)) - scaled;
        var captions = dataset.Manifest.Pictures.Select(p => prompts.Encode(p.Caption)).ToList();
        var all = new TrainingData(
            scaled, scaledDeviation, dataset.Masks(observer.Log), dataset.TimeIds(),
            cat([.. captions.Select(c => c.Ids1)], 0), cat([.. captions.Select(c => c.Ids2)], 0));
        var place = device.For(true).Device;
        if (heldOut.Count == 0)
            return (all.On(place), null);
        var names = heldOut.Select(i => dataset.Manifest.Pictures[i].Name).Distinct();
        observer.Log($"Held out of the training, to measure by: {string.Join(", ", names)}.");
        return (all.Of(trained).On(place), all.Of(heldOut).On(place));
    }

    private static (IReadOnlyList<int> Trained, IReadOnlyList<int> HeldOut) Split(
        IReadOnlyList<DatasetPicture> pictures, IReadOnlyList<string> unseen)
    {
        var parts = Enumerable.Range(0, pictures.Count).ToLookup(i => unseen.Contains(pictures[i].File));
        return ([.. parts[false]], [.. parts[true].DistinctBy(i => pictures[i].File)]);
    }

    /// <summary>Of a single file's VAE alone: the U-Net beside it is 5 GB and does not matter.</summary>
    private static string HashOfVae(string file)
    {
        using var weights = SafetensorsFile.Open(file);
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var name in weights.Entries.Keys.Where(SingleFileTensors.IsVae).Order(StringComparer.Ordinal))
        {
            sum.AppendData(Encoding.UTF8.GetBytes(name));
            sum.AppendData(weights.ReadBytes(name));
        }
        return Convert.ToHexStringLower(sum.GetHashAndReset());
    }

    private static string HashOfWeights(string folder) =>
        string.Join('-', Directory.GetFiles(folder, "*.safetensors").Order(StringComparer.Ordinal).Select(CheckpointStore.HashOf));

    /// <summary>The same bits need the same number of threads, whatever this machine would take.</summary>
    private void GoOnAs(CheckpointInfo info)
    {
        if (info.Threads > 0 && info.Threads != device.Threads)
        {
            observer.Log(
                $"The training began with {info.Threads} processor threads and goes on with as many, so that its bits stay the same; this "
                    + $"machine would have taken {device.Threads}."
            );
            device = device with { Threads = info.Threads };
        }
        if (info.Device.Length > 0 && info.Device != device.Kind)
            observer.Log(
                $"The training began on {info.Device} and goes on on {device.Kind}: the result differs in the last bits from one that had "
                    + "stayed there."
            );
    }

    private int Restore(Trainer trainer, FoundCheckpoint found)
    {
        using var scope = NewDisposeScope();
        using var state = FolderTensors.OpenFile(found.StateFile);
        trainer.Restore(state, found.Info.Optimizer);
        rollbacks = Math.Max(rollbacks, found.Info.Rollbacks);
        observer.Log($"Resumed from the checkpoint of step {found.Info.Step}.");
        return found.Info.Step;
    }

    private void WriteCheckpoint(Trainer trainer, string samplesKey, OwnErrors? start, int done)
    {
        if (!trainer.AllFinite())
            throw new NonFiniteLossException(done, double.NaN, double.NaN);
        var folder = checkpoints.Write(
            new CheckpointInfo(
                done,
                hash,
                rollbacks,
                trainer.Optimizer.Numbers,
                "",
                device.Kind,
                device.Threads,
                samplesKey,
                start,
                baseIdentity
            ),
            trainer.State()
        );
        observer.CheckpointWritten(folder, done);
    }

    /// <param name="measure">Called once the steps are done, out of their time: for the last of them.</param>
    private void ReadNumbers(
        List<StepTensors> unread, int done, int timesteps, Stopwatch clock, MetricsLog log, Func<double?>? measure)
    {
        var numbers = unread.Select(u => (Tensors: u, Values: u.Read(timesteps))).ToList();
        if (device.Cuda && DeviceMemory.UsedMebibytes() is { } used)
            devicePeak = Math.Max(devicePeak ?? 0, used);
        var milliseconds = clock.Elapsed.TotalMilliseconds / unread.Count; // after reading: the device is done by then
        var heldOutLoss = measure?.Invoke();
        clock.Restart();
        for (var i = 0; i < numbers.Count; i++)
        {
            var (tensors, (loss, byTimestep, norm)) = numbers[i];
            var step = done - numbers.Count + i + 1;
            tensors.Dispose();
            if (!double.IsFinite(loss) || !double.IsFinite(norm))
            {
                foreach (var later in unread)
                    later.Dispose();
                throw new NonFiniteLossException(step, loss, norm);
            }
            var pictures = tensors.Timesteps.Count;
            var metrics = new StepMetrics(
                step, settings.Steps, loss, byTimestep, norm, tensors.Rate, tensors.TokenRate,
                Math.Round(milliseconds, 2), Math.Round(pictures * 1000 / milliseconds, 2), MetricsLog.PeakMebibytes(), devicePeak,
                step == done && heldOutLoss is { } held && double.IsFinite(held) ? held : null);
            log.Add(metrics);
            observer.Stepped(metrics);
        }
        unread.Clear();
    }
}
