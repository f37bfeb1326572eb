namespace Sdxl.Diffusion.Tests.Tensors;

/// <summary>Nobody calls what ends a process or a training by chance: read from the IL of our assemblies, so that nothing which the compiler inserts is overlooked.</summary>
public sealed class CallScanTests
{
    private static readonly string[] s_mayMakeScalars = ["Sdxl.Diffusion.Tensors.Number", "Sdxl.Diffusion.Tensors.NumberOperations", "Sdxl.Diffusion.Tests.Tensors.RawNumbers/"];

    /// <summary>The engine's and these tests'. A test in tests/core sees to it that no other room touches a tensor.</summary>
    public static TheoryData<string> Assemblies => ["Sdxl.Diffusion.dll", "Sdxl.Diffusion.Tests.dll"];

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Every_number_goes_to_libtorch_through_Number(string assembly)
    {
        var raw = Calls(assembly).Where(c => !s_mayMakeScalars.Any(m => c.Caller.Type == m || m.EndsWith('/') && c.Caller.Type.StartsWith(m, StringComparison.Ordinal)))
            .Where(c => UnsafeCalls.MakesScalar(c.Called, out _))
            .Select(c => $"{c.Caller.Type}.{c.Caller.Name} calls {c.Called}").Distinct().ToList();

        Assert.True(raw.Count == 0, "Their Scalar may be freed while libtorch reads it. Write Num(0.5) for a number, a.Plus(b) for a sum (diffusion/Tensors/Number.cs):\n" + string.Join('\n', raw));
    }

    /// <summary>Each raw form is a method of its own in RawNumbers: those of its pairs that are not ours.</summary>
    [Fact]
    public void The_scan_finds_every_raw_form()
    {
        var found = Calls("Sdxl.Diffusion.Tests.dll").Where(c => c.Caller.Type.StartsWith("Sdxl.Diffusion.Tests.Tensors.RawNumbers/", StringComparison.Ordinal) && UnsafeCalls.MakesScalar(c.Called, out _))
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
        Assert.True(UnsafeCalls.MakesScalar(new("TorchSharp.torch/Tensor", name, parameters), out _));

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Every_backward_pass_goes_through_BackwardPass(string assembly)
    {
        var raw = Calls(assembly).Where(c => UnsafeCalls.GoesBackward(c.Called) && !c.Caller.Type.StartsWith("Sdxl.Diffusion.Tensors.BackwardPass", StringComparison.Ordinal))
            .Select(c => $"{c.Caller.Type}.{c.Caller.Name}").ToList();

        Assert.True(raw.Count == 0, "An exception of a custom autograd function is lost there. Call BackwardPass.Run:\n" + string.Join('\n', raw));
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
            Assert.Contains(calls[(function.FullName!, "forward")], c => c is { Type: "Sdxl.Diffusion.Tensors.BackwardPass", Name: "Prepare" });
            Assert.Contains(calls[(function.FullName!, "backward")], c => c is { Type: "Sdxl.Diffusion.Tensors.BackwardPass", Name: "Guard" });
        }
    }

    private static bool IsAutogradFunction(Type? type) => type is not null && (type is { Namespace: "TorchSharp", IsGenericType: true } && type.Name.EndsWith("TensorFunction`1", StringComparison.Ordinal) || IsAutogradFunction(type.BaseType));

    private static IReadOnlyList<(MethodName Caller, MethodName Called)> Calls(string assembly) => MethodCalls.In(Path.Combine(AppContext.BaseDirectory, assembly));
}
