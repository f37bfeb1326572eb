namespace Sdxl.Diffusion.Tests.Tensors;

/// <summary>
/// Nobody calls what ends a process or a training by chance: read from the IL of our assemblies, so that nothing which the compiler
/// inserts is overlooked.
/// </summary>
public sealed class CallScanTests
{
    private const string Raw = "Sdxl.Diffusion.Tests.Tensors.RawNumbers";
    private static readonly string[] s_mayMakeScalars = ["Sdxl.Diffusion.Tensors.Number", "Sdxl.Diffusion.Tensors.NumberOperations", Raw];

    /// <summary>The engine's and these tests'. A test in tests/core sees to it that no other room touches a tensor.</summary>
    public static TheoryData<string> Assemblies => ["Sdxl.Diffusion.dll", "Sdxl.Diffusion.Tests.dll"];

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Every_number_goes_to_libtorch_through_Number(string assembly)
    {
        var raw = Calls(assembly).Where(c => !s_mayMakeScalars.Contains(c.Caller.Type.Split('/')[0]) && UnsafeCalls.MakesScalar(c.Called))
            .Select(c => $"{c.Caller.Type}.{c.Caller.Name} calls {c.Called}").Distinct().ToList();

        Assert.True(raw.Count == 0, "Their Scalar may be freed while libtorch reads it. Write Num(0.5) for a number, a.Plus(b) for a sum "
            + "(diffusion/Tensors/Number.cs):\n" + string.Join('\n', raw));
    }

    /// <summary>Each raw form is a method of its own in RawNumbers: those of its pairs that are not ours.</summary>
    [Fact]
    public void The_scan_finds_every_raw_form()
    {
        var found = Calls("Sdxl.Diffusion.Tests.dll").Where(c => c.Caller.Type.Split('/')[0] == Raw && UnsafeCalls.MakesScalar(c.Called))
            .Select(c => c.Caller.Name).ToHashSet();
        var pairs = RawNumbers.Pairs.Concat(RawNumbers.FloatingPairs).ToList();

        Assert.All(pairs, p => Assert.Contains(p.Raw.Method.Name, found));
        Assert.All(pairs, p => Assert.DoesNotContain(p.Ours.Method.Name, found));
    }

    /// <summary>Also those that show no number: read in TorchSharp's source, commit c20b6a1.</summary>
    [Theory]
    [InlineData("op_Addition", "TorchSharp.torch/Tensor, TorchSharp.torch/Tensor")]
    [InlineData("add", "TorchSharp.torch/Tensor")]
    [InlineData("add_", "TorchSharp.torch/Tensor")]
    [InlineData("add_", "TorchSharp.Scalar")]
    [InlineData("addcdiv_", "TorchSharp.torch/Tensor, TorchSharp.torch/Tensor")]
    [InlineData("square", "")]
    [InlineData("softplus", "Double, Double")]
    public void The_scan_knows_the_methods_of_TorchSharp_that_make_a_number_inside(string name, string parameters) =>
        Assert.True(UnsafeCalls.MakesScalar(new("TorchSharp.torch/Tensor", name, parameters)));

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Every_backward_pass_goes_through_BackwardPass(string assembly)
    {
        var raw = Calls(assembly)
            .Where(c => UnsafeCalls.GoesBackward(c.Called) && c.Caller.Type.Split('/')[0] != typeof(BackwardPass).FullName)
            .Select(c => $"{c.Caller.Type}.{c.Caller.Name}").ToList();

        Assert.True(raw.Count == 0, "A block's exception is lost there. Call BackwardPass.Run:\n" + string.Join('\n', raw));
        if (assembly == "Sdxl.Diffusion.dll")
            Assert.Equal(2, Calls(assembly).Count(c => UnsafeCalls.GoesBackward(c.Called))); // the scan sees those that may stand
    }

    [Fact]
    public void Every_custom_autograd_function_keeps_its_exceptions_from_libtorch()
    {
        var functions = typeof(BackwardPass).Assembly.GetTypes().Where(t => IsAutogradFunction(t.BaseType)).ToList();
        var calls = Calls("Sdxl.Diffusion.dll").ToLookup(c => (c.Caller.Type, c.Caller.Name), c => c.Called);

        Assert.NotEmpty(functions);
        foreach (var function in functions)
        {
            Assert.Contains(calls[(function.FullName!, "forward")], c => c.Type == typeof(BackwardPass).FullName && c.Name == "Prepare");
            Assert.Contains(calls[(function.FullName!, "backward")], c => c.Type == typeof(BackwardPass).FullName && c.Name == "Guard");
        }
    }

    /// <summary>autograd.Function, which SingleTensorFunction and MultiTensorFunction are.</summary>
    private static bool IsAutogradFunction(Type? type) =>
        type is not null && (type is { Namespace: "TorchSharp", Name: "Function`1" } || IsAutogradFunction(type.BaseType));

    private static IReadOnlyList<(MethodName Caller, MethodName Called)> Calls(string assembly) =>
        MethodCalls.In(Path.Combine(AppContext.BaseDirectory, assembly));
}
