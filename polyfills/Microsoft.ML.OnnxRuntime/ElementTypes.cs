using System;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>Which .NET type stands for which element type, and its bytes. Half-precision types of the real package are left out: nothing here uses them.</summary>
internal static class ElementTypes
{
    private static readonly (Type Type, TensorElementType Element, int Bytes)[] s_known =
    [
        (typeof(float), TensorElementType.Float, 4), (typeof(byte), TensorElementType.UInt8, 1), (typeof(sbyte), TensorElementType.Int8, 1),
        (typeof(ushort), TensorElementType.UInt16, 2), (typeof(short), TensorElementType.Int16, 2), (typeof(int), TensorElementType.Int32, 4),
        (typeof(long), TensorElementType.Int64, 8), (typeof(string), TensorElementType.String, 8), (typeof(bool), TensorElementType.Bool, 1),
        (typeof(double), TensorElementType.Double, 8), (typeof(uint), TensorElementType.UInt32, 4), (typeof(ulong), TensorElementType.UInt64, 8),
    ];

    public static (TensorElementType Element, int Bytes)? Of(Type type)
    {
        foreach (var known in s_known)
        {
            if (known.Type == type)
                return (known.Element, known.Bytes);
        }
        return null;
    }

    public static (Type Type, int Bytes)? Of(TensorElementType element)
    {
        foreach (var known in s_known)
        {
            if (known.Element == element)
                return (known.Type, known.Bytes);
        }
        return null;
    }
}
