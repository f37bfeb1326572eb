using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Sdxl.Tests.Polyfills.OnnxRuntime;

public sealed class InferenceSessionTests
{
    private static readonly string s_yunet = Path.Combine(TestPaths.Models, "yunet", "model.onnx");
    private static readonly string s_swin2Sr = Path.Combine(TestPaths.Models, "swin2sr", "model.onnx");

    [Fact]
    public void The_native_library_says_its_version_and_its_providers()
    {
        Assert.StartsWith("1.", OrtEnv.Instance().GetVersionString());
        Assert.Contains("CPUExecutionProvider", OrtEnv.Instance().GetAvailableProviders());
    }

    [Fact]
    public void A_model_tells_names_shapes_and_types()
    {
        using var session = new InferenceSession(s_swin2Sr);
        var input = session.InputMetadata["pixel_values"];
        Assert.Equal(["pixel_values"], session.InputNames);
        Assert.Equal(["reconstruction"], session.OutputNames);
        Assert.Equal(4, input.Dimensions.Length);
        Assert.Equal(3, input.Dimensions[1]);
        Assert.Equal(-1, input.Dimensions[2]);
        Assert.NotEmpty(input.SymbolicDimensions[2]);
        Assert.Equal(typeof(float), input.ElementType);
        Assert.Equal(TensorElementType.Float, input.ElementDataType);
        Assert.Equal(OnnxValueType.ONNX_TYPE_TENSOR, input.OnnxValueType);
    }

    [Fact]
    public void A_model_from_bytes_gives_the_same_as_from_its_file_and_by_every_way_to_run_it()
    {
        using var fromFile = new InferenceSession(s_swin2Sr);
        using var fromBytes = new InferenceSession(File.ReadAllBytes(s_swin2Sr), new SessionOptions { IntraOpNumThreads = 1 });
        using var run = new RunOptions();
        var pixels = Enumerable.Range(0, 3 * 16 * 16).Select(i => i % 97 / 97f).ToArray();
        using var input = OrtValue.CreateTensorValueFromMemory(pixels, [1, 3, 16, 16]);

        using var first = fromFile.Run(run, new Dictionary<string, OrtValue> { ["pixel_values"] = input }, fromFile.OutputNames);
        using var second = fromBytes.Run(run, ["pixel_values"], [input], ["reconstruction"]);
        var buffer = new float[3 * 64 * 64];
        using var target = OrtValue.CreateTensorValueFromMemory(buffer, [1, 3, 64, 64]);
        fromFile.Run(run, ["pixel_values"], [input], ["reconstruction"], [target]);

        Assert.Equal([1, 3, 64, 64], first[0].GetTensorTypeAndShape().Shape);
        Assert.Equal(buffer.Length, first[0].GetTensorTypeAndShape().ElementCount);
        Assert.Equal(buffer, first[0].GetTensorDataAsSpan<float>().ToArray());
        foreach (var (a, b) in buffer.Zip(second[0].GetTensorDataAsSpan<float>().ToArray()))
            Assert.Equal(a, b, 1e-4f);
    }

    [Fact]
    public void One_session_serves_many_threads_at_once()
    {
        using var session = new InferenceSession(s_yunet, new SessionOptions { IntraOpNumThreads = 1 });
        var side = session.InputMetadata["input"].Dimensions[2];
        var results = new float[8][];
        Parallel.For(0, results.Length, i =>
        {
            using var run = new RunOptions();
            using var input = OrtValue.CreateTensorValueFromMemory(Enumerable.Repeat(i % 2 * 200f, 3 * side * side).ToArray(), [1, 3, side, side]);
            using var outputs = session.Run(run, ["input"], [input], ["cls_8"]);
            results[i] = outputs[0].GetTensorDataAsSpan<float>().ToArray();
        });
        for (var i = 2; i < results.Length; i++)
            Assert.Equal(results[i % 2], results[i]);
        Assert.NotEqual(results[0], results[1]);
    }

    [Fact]
    public void A_thousand_runs_do_not_hold_memory()
    {
        using var session = new InferenceSession(s_yunet, new SessionOptions { IntraOpNumThreads = 1 });
        var side = session.InputMetadata["input"].Dimensions[2];
        var pixels = new float[3 * side * side];
        void RunOnce()
        {
            using var run = new RunOptions();
            using var input = OrtValue.CreateTensorValueFromMemory(pixels, [1, 3, side, side]);
            using var outputs = session.Run(run, new Dictionary<string, OrtValue> { ["input"] = input }, session.OutputNames);
        }
        for (var i = 0; i < 50; i++)
            RunOnce();
        var before = Environment.WorkingSet;
        for (var i = 0; i < 1000; i++)
            RunOnce();
        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 32 << 20);
    }

    [Fact]
    public void Failures_come_as_OnnxRuntimeException_with_their_code()
    {
        var missing = Assert.Throws<OnnxRuntimeException>(() => new InferenceSession("/no/such.onnx"));
        Assert.StartsWith("[ErrorCode:NoSuchFile] ", missing.Message);
        var broken = Assert.Throws<OnnxRuntimeException>(() => new InferenceSession([1, 2, 3, 4]));
        Assert.StartsWith("[ErrorCode:InvalidProtobuf] ", broken.Message);

        using var session = new InferenceSession(s_yunet);
        using var run = new RunOptions();
        using var small = OrtValue.CreateTensorValueFromMemory(new float[3], [1, 3, 1, 1]);
        Assert.StartsWith("[ErrorCode:InvalidArgument] ", Assert.Throws<OnnxRuntimeException>(() => session.Run(run, ["input"], [small], ["cls_8"])).Message);
        Assert.Equal("[ErrorCode:InvalidArgument] Input name: 'nothing' is not in the metadata",
            Assert.Throws<OnnxRuntimeException>(() => session.Run(run, ["nothing"], [small], ["cls_8"])).Message);
        Assert.Throws<ArgumentException>(() => session.Run(run, ["input", "input"], [small], ["cls_8"]));
        Assert.Contains("elements is less than shape size", Assert.Throws<OnnxRuntimeException>(() => OrtValue.CreateTensorValueFromMemory(new float[3], [4])).Message);
        Assert.Contains("does not match the actual type", Assert.Throws<OnnxRuntimeException>(() => small.GetTensorDataAsSpan<long>()).Message);
    }

    [Fact]
    public void A_terminated_run_stops()
    {
        using var session = new InferenceSession(s_yunet);
        using var run = new RunOptions { Terminate = true };
        var side = session.InputMetadata["input"].Dimensions[2];
        using var input = OrtValue.CreateTensorValueFromMemory(new float[3 * side * side], [1, 3, side, side]);
        Assert.Throws<OnnxRuntimeException>(() => session.Run(run, ["input"], [input], session.OutputNames));
    }
}
