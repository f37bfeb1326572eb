using Sdxl.Diffusion.Files;

namespace Sdxl.Diffusion.Schedulers;

/// <summary>
/// The schedule that weights were trained under where it is not the base model's: without it they would be drawn along another one and show
/// grey or noise. Stands in the header of every weights file of such a training.
/// </summary>
/// <remarks>
/// Header: scheduler.prediction_type ("epsilon", "v_prediction") and scheduler.rescale_betas_zero_snr ("true", "false"), in the words of
/// diffusers' scheduler_config.json. A single-file checkpoint has two empty tensors as well, v_pred and ztsnr: by these ComfyUI, Forge and
/// A1111 know it.
/// </remarks>
public sealed record TrainedSchedule(bool PredictsVelocity, bool ZeroTerminalSnr)
{
    private const string PredictionKey = "scheduler.prediction_type", ZeroTerminalKey = "scheduler.rescale_betas_zero_snr";
    private const string VelocityMarker = "v_pred", ZeroTerminalMarker = "ztsnr";

    /// <summary>Null where a training kept the base model's schedule: nothing has to be said then.</summary>
    public static TrainedSchedule? Of(SchedulerConfig trained, SchedulerConfig ofBase) =>
        trained == ofBase ? null : new TrainedSchedule(trained.PredictsVelocity, trained.ZeroTerminalSnr);

    /// <summary>What a weights file says of its schedule; null: nothing, so the base model's is right.</summary>
    /// <exception cref="SafetensorsException">A prediction type that does not exist.</exception>
    public static TrainedSchedule? Read(SafetensorsFile file)
    {
        if (file.Metadata.TryGetValue(PredictionKey, out var prediction))
        {
            if (prediction is not ("epsilon" or "v_prediction"))
                throw new SafetensorsException(file.Path, $"says {PredictionKey} '{prediction}'; expected 'epsilon' or 'v_prediction'.");
            return new TrainedSchedule(prediction == "v_prediction", file.Metadata.GetValueOrDefault(ZeroTerminalKey) == "true");
        }
        return file.Entries.ContainsKey(VelocityMarker) ? new TrainedSchedule(true, file.Entries.ContainsKey(ZeroTerminalMarker)) : null;
    }

    /// <summary>The base model's schedule as these weights want it.</summary>
    public SchedulerConfig On(SchedulerConfig ofBase) =>
        ofBase with
        {
            PredictsVelocity = PredictsVelocity,
            ZeroTerminalSnr = ZeroTerminalSnr,
        };

    /// <summary>Entries of a file's header.</summary>
    public IReadOnlyDictionary<string, string> Metadata => new Dictionary<string, string>
    {
        [PredictionKey] = PredictsVelocity ? "v_prediction" : "epsilon",
        [ZeroTerminalKey] = ZeroTerminalSnr ? "true" : "false",
    };

    /// <summary>Names of the empty tensors in a single-file checkpoint.</summary>
    public IEnumerable<string> Markers => (PredictsVelocity, ZeroTerminalSnr) switch
    {
        (true, true) => [VelocityMarker, ZeroTerminalMarker],
        (true, false) => [VelocityMarker],
        _ => [],
    };
}
