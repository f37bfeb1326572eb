using Microsoft.ML.OnnxRuntime;

namespace Sdxl.Vision.Models;

/// <summary>
/// One ONNX file with its shared session. Run is thread-safe; the session is opened on first use and lives until disposal.
/// </summary>
public sealed class OnnxModel : IDisposable
{
    private readonly VisionOptions _options;
    private readonly Lock _opening = new();
    private volatile InferenceSession? _session;

    internal OnnxModel(string file, VisionOptions options) => (File, _options) = (file, options);

    public string File { get; }

    /// <summary>Declared sizes of an input; -1 where any will do.</summary>
    /// <exception cref="InvalidDataException">The model has no such input.</exception>
    public IReadOnlyList<int> InputShape(string name) => Session.InputMetadata.TryGetValue(name, out var node) ? node.Dimensions
        : throw new InvalidDataException($"{File}: expected an input '{name}', found {string.Join(", ", Session.InputNames)}.");

    public IReadOnlyList<string> OutputNames => Session.OutputNames;

    /// <summary>Runs the model and copies the named outputs out.</summary>
    /// <exception cref="OperationCanceledException">Cancelled before or, between two operators, during the run.</exception>
    public ModelOutput[] Run(IReadOnlyList<ModelInput> inputs, IReadOnlyList<string> outputs, CancellationToken cancel) =>
        Run(
            inputs,
            outputs,
            static results =>
                results
                    .Select(result => new ModelOutput(result.GetTensorDataAsSpan<float>().ToArray(), result.GetTensorTypeAndShape().Shape))
                    .ToArray(),
            cancel
        );

    /// <summary>Runs the model and reads one output where it lies: for outputs of which little is needed.</summary>
    /// <exception cref="OperationCanceledException">Cancelled before or, between two operators, during the run.</exception>
    public T Run<T>(IReadOnlyList<ModelInput> inputs, string output, ReadOutput<T> read, CancellationToken cancel) =>
        Run(
            inputs,
            [output],
            results => read(results.First().GetTensorDataAsSpan<float>(), results.First().GetTensorTypeAndShape().Shape),
            cancel
        );

    private T Run<T>(
        IReadOnlyList<ModelInput> inputs,
        IReadOnlyList<string> outputs,
        Func<IReadOnlyCollection<OrtValue>, T> read,
        CancellationToken cancel
    )
    {
        cancel.ThrowIfCancellationRequested();
        var values = new List<OrtValue>(inputs.Count);
        using var options = new RunOptions();
        using var registration = cancel.Register(static state => ((RunOptions)state!).Terminate = true, options);
        try
        {
            foreach (var input in inputs)
                values.Add(input.ToOrtValue());
            using var results = Session.Run(options, [.. inputs.Select(input => input.Name)], values, outputs);
            return read(results);
        }
        catch (OnnxRuntimeException) when (cancel.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancel);
        }
        finally
        {
            foreach (var value in values)
                value.Dispose();
        }
    }

    public void Dispose() => _session?.Dispose();

    private InferenceSession Session
    {
        get
        {
            if (_session is { } opened)
                return opened;
            lock (_opening)         // a failed opening is tried again next time: the missing file may be fetched meanwhile
                return _session ??= Open(File, _options);
        }
    }

    private static InferenceSession Open(string file, VisionOptions options)
    {
        if (!System.IO.File.Exists(file))
            throw new ModelFileMissingException(file);
        using var sessionOptions = new SessionOptions
        {
            IntraOpNumThreads = options.EffectiveThreads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
        };
        // Idle workers must not burn the processors that decoding and other pictures need.
        sessionOptions.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        if (options.CudaDevice is { } device)
            sessionOptions.AppendExecutionProvider_CUDA(device);
        return new InferenceSession(file, sessionOptions);
    }
}
