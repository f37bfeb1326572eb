using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Sdxl.Tests.Polyfills.OnnxRuntime;

/// <summary>Every member the product uses, with its exact signature; compiles against the polyfill and against the real package alike (-p:UsePolyfills=false).</summary>
internal static class Signatures
{
    public static void Sessions(string path, byte[] bytes, SessionOptions options, RunOptions runOptions, Dictionary<string, OrtValue> named, OrtValue[] values)
    {
        using var fromFile = new InferenceSession(path);
        using var fromFileWithOptions = new InferenceSession(path, options);
        using var fromBytes = new InferenceSession(bytes);
        using var fromBytesWithOptions = new InferenceSession(bytes, options);
        IReadOnlyDictionary<string, NodeMetadata> inputs = fromFile.InputMetadata;
        IReadOnlyDictionary<string, NodeMetadata> outputs = fromFile.OutputMetadata;
        IReadOnlyList<string> inputNames = fromFile.InputNames;
        IReadOnlyList<string> outputNames = fromFile.OutputNames;
        using IDisposableReadOnlyCollection<OrtValue> byDictionary = fromFile.Run(runOptions, named, outputNames);
        using IDisposableReadOnlyCollection<OrtValue> byLists = fromFile.Run(runOptions, inputNames, values, outputNames);
        fromFile.Run(runOptions, inputNames, values, outputNames, values);
        OrtValue first = byLists[0];
        _ = (inputs, outputs, first);
    }

    public static void Options()
    {
        using var options = new SessionOptions
        {
            IntraOpNumThreads = 1, InterOpNumThreads = 1, EnableMemoryPattern = false, EnableCpuMemArena = true,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL, ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        options.AppendExecutionProvider_CPU(1);
        options.AppendExecutionProvider_CUDA(0);
        using SessionOptions cuda = SessionOptions.MakeSessionOptionWithCudaProvider(0);
        using var run = new RunOptions { Terminate = true };
        string version = OrtEnv.Instance().GetVersionString();
        string[] providers = OrtEnv.Instance().GetAvailableProviders();
        bool created = OrtEnv.IsCreated;
        _ = (version, providers, created);
    }

    public static void Values(float[] data, Memory<long> memory, long[] shape, NodeMetadata node)
    {
        using OrtValue fromArray = OrtValue.CreateTensorValueFromMemory(data, shape);
        using OrtValue fromMemory = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, memory, shape);
        ReadOnlySpan<float> read = fromArray.GetTensorDataAsSpan<float>();
        Span<float> write = fromArray.GetTensorMutableDataAsSpan<float>();
        long[] found = fromArray.GetTensorTypeAndShape().Shape;
        TensorElementType element = fromArray.GetTensorTypeAndShape().ElementDataType;
        long count = fromArray.GetTensorTypeAndShape().ElementCount;
        OnnxValueType kind = fromArray.OnnxType;
        bool tensor = fromArray.IsTensor;
        int[] dimensions = node.Dimensions;
        string[] symbols = node.SymbolicDimensions;
        Type type = node.ElementType;
        TensorElementType nodeElement = node.ElementDataType;
        OnnxValueType nodeKind = node.OnnxValueType;
        bool nodeTensor = node.IsTensor;
        _ = (read.Length, write.Length, found, element, count, kind, tensor, dimensions, symbols, type, nodeElement, nodeKind, nodeTensor);
    }

    public static Exception Failure(OnnxRuntimeException failure) => failure;
}
