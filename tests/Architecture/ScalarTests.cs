using System.Reflection;
using Dreambooth.Lab.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Architecture;

/// <summary>
/// Where models compute, no number goes to libtorch as an object of TorchSharp's own making: it may be freed before it is read
/// (<see cref="KeptScalar"/>). Read from the compiled methods, those of TorchSharp included, which make such objects themselves.
/// </summary>
public sealed class ScalarTests
{
    private static readonly string[] s_hot =
    [
        "Data", "Evaluation", "Layers", "Miniature", "Models", "Native", "Peft", "Pipelines", "Schedulers", "Sweeps", "Tensors", "Training",
    ];

    private static readonly CallGraph<MethodBase> s_making = new(
        method => CalledMethods.Of(method).Where(IsOfTorchSharp), IsConversion);

    [Fact]
    public void Methods_WhereModelsCompute_TakeTheirNumbersFromKeptScalar()
    {
        var found = new[] { typeof(KeptScalar).Assembly, typeof(Lab.Miniature.MiniatureRecipe).Assembly }.SelectMany(CalledMethods.Of)
            .Where(IsHot).SelectMany(method => CalledMethods.Of(method).Where(Makes)
                .Select(called => $"{method.DeclaringType}.{method.Name} calls {called.DeclaringType!.Name}: {called}")).ToList();
        Assert.True(found.Count == 0, string.Join('\n', found));
    }

    [Theory]
    [InlineData(nameof(Converted))]
    [InlineData(nameof(InAnOperator))]
    [InlineData(nameof(InAnAddition))]
    [InlineData(nameof(InASquare))]
    public void Makes_ANumberInEachForm_IsFound(string method) => Assert.Contains(CalledMethods.Of(Own(method)), Makes);

    [Fact]
    public void Makes_KeptNumbersAndTensors_AreFine() => Assert.DoesNotContain(CalledMethods.Of(Own(nameof(Kept))), Makes);

    private static Tensor Converted(Tensor x) => x.mul(2);

    private static Tensor InAnOperator(Tensor x) => 1.0 - x;

    private static Tensor InAnAddition(Tensor x) => x + x;

    private static Tensor InASquare(Tensor x) => x.square();

    private static Tensor Kept(Tensor x) => (x * x).add(x.mul(KeptScalar.Of(2)), KeptScalar.One) - x;

    private static MethodInfo Own(string name) => typeof(ScalarTests).GetMethod(name, BindingFlags.NonPublic | BindingFlags.Static)!;

    // What a static constructor makes lives in a field.
    private static bool IsHot(MethodBase method)
    {
        var type = method.DeclaringType!;
        while (type.DeclaringType is { } outer)
            type = outer;
        return type != typeof(KeptScalar) && method is not ConstructorInfo { IsStatic: true }
            && Array.Exists(s_hot, folder => $"{type.Namespace}.".StartsWith($"Dreambooth.Lab.{folder}.", StringComparison.Ordinal));
    }

    // Whether a method of TorchSharp makes a number, itself or in one that it calls.
    private static bool Makes(MethodBase method) => IsOfTorchSharp(method) && s_making.Reaches(method);

    // A compilation unit makes numbers of arguments that are none yet; the lab's are.
    private static bool IsOfTorchSharp(MethodBase method) =>
        method.DeclaringType?.Assembly == typeof(Scalar).Assembly && method.DeclaringType != typeof(jit.CompilationUnit);

    private static bool IsConversion(MethodBase method) =>
        (method is MethodInfo { Name: "op_Implicit" } conversion && conversion.ReturnType == typeof(Scalar))
            || (method.IsConstructor && method.DeclaringType == typeof(Scalar));
}
