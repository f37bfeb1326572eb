using Sdxl.Diffusion.Adapters;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Nets;
using Sdxl.Diffusion.Optimizers;
using Sdxl.Diffusion.Randomness;
using Sdxl.Diffusion.Schedulers;
using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Training;

// B batch, C latent channels (4), H W latent height and width, T tokens (77), D text width, P pooled width, N vectors of all trigger words.

/// <summary>
/// The arithmetic of a training: what trains, one step of it, nothing of files. All of it is a function of (settings, weights, step).
/// </summary>
/// <remarks>
/// A step: latents z from the cached posterior; noised latents; the U-Net's prediction under the captions and the pictures' true sizes;
/// squared error in fp32, weighted by the mask (normalised per picture) and by min-SNR; one optimizer over LoRA (or U-Net) and the trigger
/// words' rows. Until the pivot the rows train and are drawn towards the deviation of the token table after every update; from there on
/// they are frozen and the captions' text states are computed once.
/// </remarks>
public sealed class Trainer : IDisposable
{
    /// <summary>Strength of the pull on each row: row *= (table deviation / row deviation)^0.1.</summary>
    private const double TokenPull = 0.1;

    /// <summary>Samples of a measurement on pictures held out, at least; two of each picture in any case.</summary>
    private const int HeldOutSamples = 16;

    private readonly TrainingSettings settings;
    private readonly TrainedNets nets;
    private readonly PictureSet own;       // trained on
    private readonly PictureSet? heldOut;  // measured by
    private readonly BatchFeed feed;
    private readonly Device device;
    private readonly ScalarType compute;
    private readonly int batchSize;
    private readonly Tensor signal, spread; // [1000] fp32: sqrt(alpha), sqrt(1 - alpha)
    private readonly Tensor? lossWeights;   // [1000] fp32: min-SNR
    private readonly double tableDeviation1, tableDeviation2;
    private readonly FlatParameters netParameters, rowParameters;
    private readonly ParameterGroup netGroup, rowGroup;
    private readonly Dictionary<string, Linear> adapted = [];

    /// <param name="compute">Type of the nets' passes.</param>
    /// <param name="parent">What to begin with; null: the base model, a LoRA of no effect and vectors by chance.</param>
    /// <param name="unseen">Pictures that are not trained on; null: none.</param>
    public Trainer(
        TrainingSettings settings, TrainedNets nets, TrainingData data, ITrainingNoise noise, NoiseSchedule schedule, ScalarType compute,
        ParentWeights? parent = null, TrainingData? unseen = null)
    {
        (this.settings, this.nets, this.compute) = (settings, nets, compute);
        (own, heldOut) = (new PictureSet(data), unseen is null ? null : new PictureSet(unseen));
        device = data.LatentMean.device;
        batchSize = noise.Pictures(0).Length;
        feed = new BatchFeed(noise, data, settings.NoiseOffset > 0, device, settings.Steps * settings.Accumulate);
        nets.UNet.Checkpointing = settings.GradientCheckpointing;
        using var scope = NewDisposeScope();
        var alphas = schedule.AlphasCumprod;
        signal = OnDevice(alphas.Select(a => Math.Sqrt(a)));
        spread = OnDevice(alphas.Select(a => Math.Sqrt(1 - (double)a)));
        lossWeights = settings.SnrGamma is { } gamma
            ? OnDevice(alphas.Select(a => LossWeight(a, gamma, settings.VelocityPrediction)))
            : null;

        if (settings.Lora is not { } lora)
        {
            netParameters = new FlatParameters(WholeNet(), device);
            parent?.CopyUNet(netParameters);
        }
        else
        {
            netParameters = new FlatParameters(NewLora(lora), device);
            parent?.CopyLora(netParameters, lora.Scale);
            Attach(lora);
        }
        (tableDeviation1, tableDeviation2) = (Deviation(nets.Text1), Deviation(nets.Text2));
        rowParameters = new FlatParameters(
            [
                KeyValuePair.Create("rows_1", NewRows(nets.Text1, tableDeviation1, 0)),
                KeyValuePair.Create("rows_2", NewRows(nets.Text2, tableDeviation2, 1)),
            ],
            device);
        parent?.CopyRows(rowParameters);
        // The optimizer comes last: some remember where they began.
        netGroup = new ParameterGroup("net", netParameters, settings.WeightDecay);
        rowGroup = new ParameterGroup("text", rowParameters, settings.TokenWeightDecay);
        Optimizer = NewOptimizer(settings, [netGroup, rowGroup]);
    }

    /// <summary>The update rule with its memory.</summary>
    public Optimizer Optimizer { get; }

    /// <summary>
    /// What trains in the U-Net: {module}.lora_A.weight, .lora_B.weight, .lora_magnitude_vector, or the U-Net's own names.
    /// </summary>
    public FlatParameters Net => netParameters;

    /// <summary>The trigger words' rows: rows_1 [N, D1], rows_2 [N, D2].</summary>
    public FlatParameters Rows => rowParameters;

    /// <summary>Factor on all rates: halved after a non-finite loss.</summary>
    public double RateFactor { get; set; } = 1;

    /// <summary>Where everything lies.</summary>
    public Device Device => device;

    /// <summary>Type of the nets' passes.</summary>
    public ScalarType Compute => compute;

    /// <summary>Texts under the rows as they are now; only before the text encoders are freed.</summary>
    public (Tensor States, Tensor Pooled) EncodeText(Tensor ids1, Tensor ids2) =>
        nets.Encode(ids1.to(device), ids2.to(device), rowParameters["rows_1"], rowParameters["rows_2"]);

    /// <summary>True once the text encoders are not needed any more.</summary>
    public bool PastPivot => own.Texts is not null;

    /// <summary>Does update <paramref name="step"/> (0, 1, …).</summary>
    /// <returns>The step's numbers, still on the device.</returns>
    public StepTensors Step(int step)
    {
        using var scope = NewDisposeScope();
        if (step >= settings.Pivot)
            PassPivot();
        netGroup.Rate = settings.Schedule.Rate(step, settings.Rate) * RateFactor;
        rowGroup.Rate = rowGroup.Frozen ? 0 : settings.Schedule.Rate(step, settings.TokenRate) * RateFactor;

        var losses = new List<Tensor>();
        var timesteps = new List<int>();
        for (var part = 0; part < settings.Accumulate; part++)
        {
            using var batchScope = NewDisposeScope();
            var (loss, times) = Losses(step * settings.Accumulate + part); // [B]
            BackwardPass.Run(loss.mean() / Num(settings.Accumulate));
            losses.Add(loss.detach().MoveToOuterDisposeScope());
            timesteps.AddRange(times);
        }

        var norm = GradientNorm();
        using (no_grad())
        {
            Optimizer.Step(settings.MaxGradientNorm > 0 ? (Num(settings.MaxGradientNorm) / (norm + Num(1e-6))).clamp_max_(Num(1.0)) : null);
            if (!rowGroup.Frozen)
                PullRows();
            foreach (var group in Training())
                group.Parameters.ClearGradients();
        }
        return new StepTensors(
            stack(losses).DetachFromDisposeScope(),
            timesteps,
            norm.DetachFromDisposeScope(),
            netGroup.Rate,
            rowGroup.Rate
        );
    }

    /// <summary>What the net gets wrong on its own pictures as it is now; changes nothing.</summary>
    public OwnErrors Judge() => new(ErrorsOf(own, OwnErrors.Samples, RandomPurpose.TrainJudgement));

    /// <summary>
    /// What the net gets wrong on the pictures held out as it is now: mean squared error, always under the same noise at the same
    /// timesteps; changes nothing. Null where none is held out.
    /// </summary>
    public double? HeldOut() => heldOut is null ? null
        : ErrorsOf(heldOut, Math.Max(HeldOutSamples, 2 * heldOut.Data.Pictures), RandomPurpose.TrainHeldOut).Average();

    /// <summary>Middle timestep of a sample's part of the schedule, of as many equal parts as there are samples.</summary>
    public static int Timestep(int sample, int samples, int timesteps) => (2 * sample + 1) * timesteps / (2 * samples);

    /// <summary>Squared errors of so many samples, the pictures in turn; as many samples at a time as a batch has.</summary>
    private List<double> ErrorsOf(PictureSet set, int count, RandomPurpose purpose)
    {
        using var guard = no_grad();
        var squares = new List<double>();
        foreach (var samples in Enumerable.Range(0, count).Chunk(batchSize))
        {
            using var scope = NewDisposeScope();
            var index = tensor(samples.Select(s => (long)s % set.Data.Pictures).ToArray()).to(device);
            var times = tensor(samples.Select(s => (long)Timestep(s, count, (int)signal.shape[0])).ToArray()).to(device);
            var shape = set.Data.BatchShape(1)[1..];
            var eps = stack(samples.Select(s => CounterRandom.Normal(settings.Seed, purpose, 0, s, shape))).to(device);
            var errors = Errors(set, index, times, set.Data.LatentMean.index_select(0, index), eps);
            squares.AddRange(errors.cpu().data<float>().ToArray().Select(e => (double)e));
        }
        return squares;
    }

    /// <summary>Freezes the rows and computes every caption's text states; the encoders are free to go after it.</summary>
    public void PassPivot()
    {
        if (PastPivot)
            return;
        rowGroup.Freeze();
        own.Texts = TextsOf(own.Data);
        if (heldOut is not null)
            heldOut.Texts = TextsOf(heldOut.Data);
    }

    private (Tensor States, Tensor Pooled) TextsOf(TrainingData data)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        // One caption at a time: the same bits whatever the number of captions or the batch.
        var all = Enumerable
            .Range(0, data.Pictures)
            .Select(i =>
                nets.Encode(data.Ids1.narrow(0, i, 1), data.Ids2.narrow(0, i, 1), rowParameters["rows_1"], rowParameters["rows_2"])
            )
            .ToList();
        return (
            cat([.. all.Select(a => a.States)], 0).DetachFromDisposeScope(),
            cat([.. all.Select(a => a.Pooled)], 0).DetachFromDisposeScope()
        );
    }

    /// <summary>Everything a checkpoint has to hold: trained values and the optimizer's running tensors.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> State() =>
    [
        .. netParameters.Tensors.Select(t => KeyValuePair.Create("net." + t.Key, t.Value)),
        .. rowParameters.Tensors.Select(t => KeyValuePair.Create("text." + t.Key, t.Value)),
        .. Optimizer.State.Select(t => KeyValuePair.Create("optimizer." + t.Key, t.Value)),
    ];

    /// <summary>Puts back what <see cref="State"/> and the optimizer's numbers once were, one tensor at a time.</summary>
    /// <exception cref="InvalidDataException">A tensor is missing or of another shape.</exception>
    public void Restore(ITensorSource state, IReadOnlyDictionary<string, double> numbers)
    {
        using var guard = no_grad();
        var shapes = state.Shapes;
        foreach (var (prefix, parameters) in new[] { ("net.", netParameters), ("text.", rowParameters) })
        {
            foreach (var (name, value) in parameters.Tensors)
            {
                if (!shapes.TryGetValue(prefix + name, out var saved) || !saved.SequenceEqual(value.shape))
                    throw new InvalidDataException(
                        $"The checkpoint's '{prefix + name}' is {(saved is null ? "missing" : $"[{string.Join(", ", saved)}]")}; expected "
                            + $"[{string.Join(", ", value.shape)}]."
                    );
                state.CopyTo(prefix + name, value);
            }
        }
        const string optimizer = "optimizer.";
        Optimizer.Restore(
            shapes
                .Where(s => s.Key.StartsWith(optimizer, StringComparison.Ordinal))
                .ToDictionary(s => s.Key[optimizer.Length..], s => s.Value),
            (name, target) => state.CopyTo(optimizer + name, target),
            numbers
        );
    }

    /// <summary>No trained value is infinite or not a number.</summary>
    public bool AllFinite()
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        return netParameters.Values.isfinite().all().AsBoolean() && rowParameters.Values.isfinite().all().AsBoolean();
    }

    /// <summary>The LoRA's layers as files hold them; views of the trained values. Empty in a full fine-tune.</summary>
    public IReadOnlyList<LoraLayer> LoraLayers() => settings.Lora is not { } lora ? [] :
    [
        .. adapted.Keys.Select(module => new LoraLayer(
            "unet", module, netParameters[$"{module}.lora_A.weight"], netParameters[$"{module}.lora_B.weight"], lora.Scale,
            lora.Dora ? netParameters[$"{module}.lora_magnitude_vector"] : null)),
    ];

    /// <summary>Loss of each sample of a batch, [B] with gradients, and the timesteps.</summary>
    private (Tensor Loss, int[] Timesteps) Losses(int batch)
    {
        var drawn = feed.Take(batch);
        Tensor eps, z;                                                                                                       // [B,C,H,W]
        using (no_grad())
        {
            eps = drawn.Noise;
            if (drawn.Offset is { } offset)
                eps = eps.Plus(offset * Num(settings.NoiseOffset));
            z = own.Data
                .LatentMean.index_select(0, drawn.Index)
                .addcmul_(own.Data.LatentDeviation.index_select(0, drawn.Index), drawn.Posterior, Num(1));
        }
        var loss = Errors(own, drawn.Index, drawn.Times, z, eps);
        return (lossWeights is null ? loss : loss * lossWeights.index_select(0, drawn.Times), drawn.Timesteps);
    }

    /// <summary>Mean squared error of each sample under its mask, [B].</summary>
    private Tensor Errors(PictureSet set, Tensor index, Tensor t, Tensor z, Tensor eps)
    {
        var data = set.Data;
        Tensor noised, target;
        using (no_grad())
        {
            var (a, s) = (signal.index_select(0, t).view(-1, 1, 1, 1), spread.index_select(0, t).view(-1, 1, 1, 1));
            noised = (a * z).Plus(s * eps);
            target = settings.VelocityPrediction ? a * eps - s * z : eps;
        }

        var (states, pooled) = set.Texts is { } cache
            ? (cache.States.index_select(0, index), cache.Pooled.index_select(0, index))
            : nets.Encode(
                data.Ids1.index_select(0, index),
                data.Ids2.index_select(0, index),
                rowParameters["rows_1"],
                rowParameters["rows_2"]
            );
        var predicted = nets.UNet.call(
            noised.to_type(compute),
            t,
            states.to_type(compute),
            pooled.to_type(compute),
            data.TimeIds.index_select(0, index)
        );

        var mask = data.Mask.index_select(0, index); // [B,1,H,W]
        var squares = (predicted.to_type(ScalarType.Float32) - target).Squared(); // fp32: bf16 squares lose small errors
        return (squares * mask).mean([1, 2, 3]) / mask.mean([1, 2, 3]);
    }

    /// <summary>Norm over everything that trains at this moment, a scalar tensor.</summary>
    private Tensor GradientNorm()
    {
        using var guard = no_grad();
        return stack(Training().SelectMany(g => g.Parameters.Gradients).OfType<Tensor>().Select(g => g.norm())).norm();
    }

    private IEnumerable<ParameterGroup> Training() => Optimizer.Groups.Where(g => !g.Frozen);

    private void PullRows()
    {
        foreach (var (rows, deviation) in new[] { (rowParameters["rows_1"], tableDeviation1), (rowParameters["rows_2"], tableDeviation2) })
            rows.mul_((Num(deviation) / rows.std([1], unbiased: true, keepdim: true)).pow(Num(TokenPull)));
    }

    // ---- what trains

    private List<KeyValuePair<string, Tensor>> NewLora(LoraSettings lora)
    {
        var start = new List<KeyValuePair<string, Tensor>>();
        foreach (var (name, module) in nets.UNet.named_modules())
        {
            if (module is not Linear linear || !lora.Covers(name))
                continue;
            var (outputs, inputs) = (linear.Weight.shape[0], linear.Weight.shape[1]);
            // up = 0: the first step sees the base model. down: normal with deviation 1 / rank, as diffusers' trainers start ("gaussian").
            start.Add(
                new(
                    $"{name}.lora_A.weight",
                    CounterRandom.Normal(settings.Seed, RandomPurpose.InitialLora, 0, adapted.Count, lora.Rank, inputs) / Num(lora.Rank)
                )
            );
            start.Add(new($"{name}.lora_B.weight", zeros(outputs, lora.Rank)));
            if (lora.Dora)
                start.Add(new($"{name}.lora_magnitude_vector", linear.Weight.detach().to_type(ScalarType.Float32).norm(1)));
            adapted.Add(name, linear);
        }
        if (adapted.Count == 0)
            throw new TrainingException(
                $"The U-Net has no layer named {string.Join(", ", lora.TargetNames)}: there is nothing to train. Is it an SDXL model?"
            );
        return start;
    }

    private void Attach(LoraSettings lora)
    {
        foreach (var (name, linear) in adapted)
        {
            linear.Attach(
                new LowRankBranch(
                    netParameters[$"{name}.lora_A.weight"],
                    netParameters[$"{name}.lora_B.weight"],
                    lora.Scale,
                    lora.Dora ? netParameters[$"{name}.lora_magnitude_vector"] : null
                )
            );
        }
    }

    private List<KeyValuePair<string, Tensor>> WholeNet() =>
        [.. nets.UNet.named_parameters().Select(p => KeyValuePair.Create(p.name, (Tensor)p.parameter))];

    private Tensor NewRows(ClipTextModel encoder, double deviation, int index) =>
        CounterRandom.Normal(
            settings.Seed,
            RandomPurpose.InitialTokens,
            0,
            index,
            settings.TokenVectors * settings.TokenWords,
            encoder.TokenRows.shape[1]
        ) * Num(deviation);

    private static double Deviation(ClipTextModel encoder) =>
        encoder.TokenRows.detach().to_type(ScalarType.Float32).std(unbiased: true).AsDouble();

    private static Optimizer NewOptimizer(TrainingSettings settings, IReadOnlyList<ParameterGroup> groups) => settings.Optimizer switch
    {
        "adamw" => new AdamW(groups, settings.AdamW),
        "prodigy" => new Prodigy(groups, new ProdigySettings(UseBiasCorrection: true, SafeguardWarmup: true)),
        "adafactor" => new Adafactor(groups),
        "lion" => new Lion(groups),
        _ => throw new TrainingException($"Optimizer '{settings.Optimizer}' is unknown. Choose adamw, prodigy, adafactor or lion."),
    };

    /// <summary>min(snr, gamma) / snr for noise prediction, / (snr + 1) for velocity (arXiv:2303.09556).</summary>
    private static double LossWeight(double alpha, double gamma, bool velocity)
    {
        var snr = alpha / (1 - alpha);
        return velocity ? Math.Min(snr, gamma) / (snr + 1) : snr > 0 ? Math.Min(snr, gamma) / snr : 0;
    }

    private Tensor OnDevice(IEnumerable<double> values) =>
        tensor(values.Select(v => (float)v).ToArray()).to(device).DetachFromDisposeScope();

    public void Dispose()
    {
        nets.UNet.Checkpointing = false;
        feed.Dispose();
        foreach (var linear in adapted.Values)
            linear.Attach(null);
        Optimizer.Dispose();
        netParameters.Dispose();
        rowParameters.Dispose();
        signal.Dispose();
        spread.Dispose();
        lossWeights?.Dispose();
        own.Texts?.States.Dispose();
        own.Texts?.Pooled.Dispose();
        heldOut?.Texts?.States.Dispose();
        heldOut?.Texts?.Pooled.Dispose();
    }

    private sealed class PictureSet(TrainingData data)
    {
        public TrainingData Data => data;

        /// <summary>[n,T,D], [n,P]: from the pivot on.</summary>
        public (Tensor States, Tensor Pooled)? Texts { get; set; }
    }
}

/// <summary>A step's numbers before they are read from the device.</summary>
/// <param name="Losses">[accumulated batches, B].</param>
/// <param name="Timesteps">Of each sample, in the order of <paramref name="Losses"/>.</param>
/// <param name="GradientNorm">Scalar, before clipping.</param>
public sealed record StepTensors(Tensor Losses, IReadOnlyList<int> Timesteps, Tensor GradientNorm, double Rate, double TokenRate)
    : IDisposable
{
    private const int Bins = 10;

    /// <summary>Mean loss, loss by timestep bin, gradient norm: waits for the device.</summary>
    public (double Loss, double?[] ByTimestep, double GradientNorm) Read(int trainTimesteps)
    {
        using var scope = NewDisposeScope();
        var losses = Losses.cpu().flatten().data<float>().ToArray();
        var bins = losses.Zip(Timesteps).ToLookup(p => p.Second * Bins / trainTimesteps, p => (double)p.First);
        return (
            losses.Average(l => (double)l),
            [.. Enumerable.Range(0, Bins).Select(b => bins.Contains(b) ? bins[b].Average() : (double?)null)],
            GradientNorm.AsDouble()
        );
    }

    public void Dispose()
    {
        Losses.Dispose();
        GradientNorm.Dispose();
    }
}
