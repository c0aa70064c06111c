using System.Collections.Concurrent;
using System.Reflection;
using System.Reflection.Emit;

namespace Dreambooth.Lab.Tests.Architecture;

/// <summary>What compiled methods call, as their instructions (ECMA-335, partition III) say it.</summary>
internal static class CalledMethods
{
    private const BindingFlags All =
        BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

    private static readonly Dictionary<short, OpCode> s_opcodes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    private static readonly ConcurrentDictionary<MethodBase, IReadOnlyList<MethodBase>> s_calls = [];

    /// <summary>Every method and constructor of an assembly, those of lambdas and iterators included.</summary>
    public static IEnumerable<MethodBase> Of(Assembly assembly) =>
        assembly.GetTypes().SelectMany(type => type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)));

    /// <summary>The methods that a method calls; none for one without instructions.</summary>
    public static IReadOnlyList<MethodBase> Of(MethodBase method) => s_calls.GetOrAdd(method, Read);

    private static List<MethodBase> Read(MethodBase method)
    {
        var calls = new List<MethodBase>();
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } code)
            return calls;
        var ofType = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        var ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (var at = 0; at < code.Length;)
        {
            var opcode = code[at] == 0xFE ? s_opcodes[(short)((0xFE << 8) | code[at + 1])] : s_opcodes[code[at]];
            at += opcode.Size;
            if (opcode.OperandType == OperandType.InlineMethod)
                calls.Add(method.Module.ResolveMethod(BitConverter.ToInt32(code, at), ofType, ofMethod)!);
            at += opcode.OperandType == OperandType.InlineSwitch ? 4 + (4 * BitConverter.ToInt32(code, at)) : SizeOf(opcode.OperandType);
        }

        return calls;
    }

    private static int SizeOf(OperandType operand) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        _ => 4,
    };
}
