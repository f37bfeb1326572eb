using System.Linq;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>Element type and shape of a tensor; -1 stands for a dimension that the model leaves open.</summary>
public ref struct OrtTensorTypeAndShapeInfo
{
    internal unsafe OrtTensorTypeAndShapeInfo(nint info)
    {
        ElementDataType = (TensorElementType)NativeApi.GetInt(OrtApiSlot.GetTensorElementType, info);
        var rank = (int)NativeApi.Get(OrtApiSlot.GetDimensionsCount, info);
        Shape = new long[rank];
        SymbolicDimensions = new string[rank];
        var names = new nint[rank];
        fixed (long* dimensions = Shape)
            NativeApi.Verify(((delegate* unmanaged<nint, long*, nint, nint>)NativeApi.Slot(OrtApiSlot.GetDimensions))(info, dimensions, rank));
        fixed (nint* name = names)
            NativeApi.Verify(((delegate* unmanaged<nint, nint*, nint, nint>)NativeApi.Slot(OrtApiSlot.GetSymbolicDimensions))(info, name, rank));
        for (var i = 0; i < rank; i++)
            SymbolicDimensions[i] = NativeApi.Text(names[i]);
    }

    public TensorElementType ElementDataType { get; private set; }

    public bool IsString => ElementDataType == TensorElementType.String;

    /// <summary>Counted from the shape: the native count fails on open dimensions.</summary>
    public readonly long ElementCount => Shape.Aggregate(1L, static (count, dimension) => count * dimension);

    public int DimensionsCount => Shape.Length;

    public string[] SymbolicDimensions { get; private set; }

    public long[] Shape { get; private set; }
}
