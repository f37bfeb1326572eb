using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>A loaded model. Run may be called from several threads at once.</summary>
public class InferenceSession : IDisposable
{
    private readonly Dictionary<string, NodeMetadata> _inputs = [], _outputs = [];
    private readonly List<string> _inputNames = [], _outputNames = [];
    private readonly Dictionary<string, nint> _inputUtf8 = [], _outputUtf8 = [];
    private nint _handle;
    private bool _disposed;

    public InferenceSession(string modelPath)
    {
        using var options = new SessionOptions();
        Open(modelPath, options);
    }

    public InferenceSession(string modelPath, SessionOptions options) => Open(modelPath, options);

    public InferenceSession(byte[] model)
    {
        using var options = new SessionOptions();
        Open(model, options);
    }

    public InferenceSession(byte[] model, SessionOptions options) => Open(model, options);

    ~InferenceSession() => Dispose(false);

    public IReadOnlyDictionary<string, NodeMetadata> InputMetadata => _inputs;

    public IReadOnlyList<string> InputNames => _inputNames;

    public IReadOnlyDictionary<string, NodeMetadata> OutputMetadata => _outputs;

    public IReadOnlyList<string> OutputNames => _outputNames;

    public IDisposableReadOnlyCollection<OrtValue> Run(
        RunOptions runOptions, IReadOnlyDictionary<string, OrtValue> inputs, IReadOnlyCollection<string> outputNames) =>
        Run(runOptions, inputs.Keys.ToArray(), inputs.Values.ToArray(), outputNames);

    public IDisposableReadOnlyCollection<OrtValue> Run(
        RunOptions runOptions, IReadOnlyCollection<string> inputNames, IReadOnlyCollection<OrtValue> inputValues, IReadOnlyCollection<string> outputNames)
    {
        CheckCounts(nameof(inputNames), inputNames.Count, nameof(inputValues), inputValues.Count);
        var made = new nint[outputNames.Count];
        RunNative(runOptions, inputNames, inputValues, outputNames, made);
        var results = new DisposableList<OrtValue>(made.Length);
        try
        {
            for (var i = 0; i < made.Length; i++)
            {
                results.Add(new OrtValue(made[i]));
                made[i] = 0;
            }
            return results;
        }
        catch
        {
            results.Dispose();
            foreach (var left in made.Where(handle => handle != 0))
                NativeApi.Release(OrtApiSlot.ReleaseValue, left);
            throw;
        }
    }

    /// <summary>Results go to memory that the caller allocated: tensors of exactly the right shape.</summary>
    public void Run(
        RunOptions runOptions, IReadOnlyCollection<string> inputNames, IReadOnlyCollection<OrtValue> inputValues,
        IReadOnlyCollection<string> outputNames, IReadOnlyCollection<OrtValue> outputValues)
    {
        CheckCounts(nameof(inputNames), inputNames.Count, nameof(inputValues), inputValues.Count);
        CheckCounts(nameof(outputNames), outputNames.Count, nameof(outputValues), outputValues.Count);
        RunNative(runOptions, inputNames, inputValues, outputNames, [.. outputValues.Select(value => value.Handle)]);
        GC.KeepAlive(outputValues);
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (_disposed)
            return;
        _disposed = true;
        if (_handle != 0)
            NativeApi.Release(OrtApiSlot.ReleaseSession, _handle);
        _handle = 0;
        foreach (var name in _inputUtf8.Values.Concat(_outputUtf8.Values))
            Marshal.FreeCoTaskMem(name);
        _inputUtf8.Clear();
        _outputUtf8.Clear();
    }

    private static void CheckCounts(string names, int nameCount, string values, int valueCount)
    {
        if (nameCount != valueCount)
            throw new ArgumentException($"Length of {names} ({nameCount}) must match that of {values} ({valueCount}).");
    }

    private unsafe void RunNative(
        RunOptions runOptions, IReadOnlyCollection<string> inputNames, IReadOnlyCollection<OrtValue> inputValues, IReadOnlyCollection<string> outputNames, nint[] outputs)
    {
        var inputNamePointers = inputNames.Select(name => Lookup(_inputUtf8, name, "Input")).ToArray();
        var outputNamePointers = outputNames.Select(name => Lookup(_outputUtf8, name, "Output")).ToArray();
        var inputs = inputValues.Select(value => value.Handle).ToArray();
        fixed (nint* inputName = inputNamePointers, input = inputs, outputName = outputNamePointers, output = outputs)
        {
            NativeApi.Verify(((delegate* unmanaged<nint, nint, nint*, nint*, nint, nint*, nint, nint*, nint>)NativeApi.Slot(OrtApiSlot.Run))(
                _handle, runOptions?.Handle ?? 0, inputName, input, inputs.Length, outputName, outputs.Length, output));
        }
        GC.KeepAlive(inputValues);
        GC.KeepAlive(runOptions);
        GC.KeepAlive(this);
    }

    private static nint Lookup(Dictionary<string, nint> names, string name, string kind) => names.TryGetValue(name, out var utf8)
        ? utf8 : throw new OnnxRuntimeException(ErrorCode.InvalidArgument, $"{kind} name: '{name}' is not in the metadata");

    private unsafe void Open(string modelPath, SessionOptions options)
    {
        nint made;
        fixed (byte* path = NativeApi.Utf8(modelPath))
        {
            NativeApi.Verify(((delegate* unmanaged<nint, byte*, nint, nint*, nint>)NativeApi.Slot(OrtApiSlot.CreateSession))(
                OrtEnv.Instance().DangerousGetHandle(), path, options.Handle, &made));
        }
        GC.KeepAlive(options);
        _handle = made;
        ReadMetadata();
    }

    private unsafe void Open(byte[] model, SessionOptions options)
    {
        nint made;
        fixed (byte* bytes = model)
        {
            NativeApi.Verify(((delegate* unmanaged<nint, byte*, nint, nint, nint*, nint>)NativeApi.Slot(OrtApiSlot.CreateSessionFromArray))(
                OrtEnv.Instance().DangerousGetHandle(), bytes, model.Length, options.Handle, &made));
        }
        GC.KeepAlive(options);
        _handle = made;
        ReadMetadata();
    }

    private void ReadMetadata()
    {
        Read(OrtApiSlot.SessionGetInputCount, OrtApiSlot.SessionGetInputName, OrtApiSlot.SessionGetInputTypeInfo, _inputNames, _inputUtf8, _inputs);
        Read(OrtApiSlot.SessionGetOutputCount, OrtApiSlot.SessionGetOutputName, OrtApiSlot.SessionGetOutputTypeInfo, _outputNames, _outputUtf8, _outputs);
    }

    private unsafe void Read(
        OrtApiSlot countSlot, OrtApiSlot nameSlot, OrtApiSlot typeSlot, List<string> names, Dictionary<string, nint> utf8, Dictionary<string, NodeMetadata> metadata)
    {
        var allocator = NativeApi.Create(OrtApiSlot.GetAllocatorWithDefaultOptions);        // process-wide: not to be released
        var count = NativeApi.Get(countSlot, _handle);
        for (nint i = 0; i < count; i++)
        {
            nint allocated;
            NativeApi.Verify(((delegate* unmanaged<nint, nint, nint, nint*, nint>)NativeApi.Slot(nameSlot))(_handle, i, allocator, &allocated));
            var name = NativeApi.Text(allocated);
            NativeApi.Verify(((delegate* unmanaged<nint, nint, nint>)NativeApi.Slot(OrtApiSlot.AllocatorFree))(allocator, allocated));
            names.Add(name);
            utf8[name] = Marshal.StringToCoTaskMemUTF8(name);
            metadata[name] = ReadNode(NativeApi.Get(typeSlot, _handle, i));
        }
    }

    private static NodeMetadata ReadNode(nint typeInfo)
    {
        try
        {
            var kind = (OnnxValueType)NativeApi.GetInt(OrtApiSlot.GetOnnxTypeFromTypeInfo, typeInfo);
            if (kind is not (OnnxValueType.ONNX_TYPE_TENSOR or OnnxValueType.ONNX_TYPE_SPARSETENSOR))
                return new NodeMetadata(kind, [], [], TensorElementType.DataTypeMax);
            var tensor = new OrtTensorTypeAndShapeInfo(NativeApi.Get(OrtApiSlot.CastTypeInfoToTensorInfo, typeInfo));       // belongs to typeInfo
            return new NodeMetadata(kind, Array.ConvertAll(tensor.Shape, Convert.ToInt32), tensor.SymbolicDimensions, tensor.ElementDataType);
        }
        finally
        {
            NativeApi.Release(OrtApiSlot.ReleaseTypeInfo, typeInfo);
        }
    }
}
