using System;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>What a model says about one of its inputs or outputs.</summary>
public class NodeMetadata
{
    private readonly int[] _dimensions;
    private readonly string[] _symbolicDimensions;
    private readonly TensorElementType _elementType;

    internal NodeMetadata(OnnxValueType onnxValueType, int[] dimensions, string[] symbolicDimensions, TensorElementType elementType)
    {
        OnnxValueType = onnxValueType;
        (_dimensions, _symbolicDimensions, _elementType) = (dimensions, symbolicDimensions, elementType);
    }

    public OnnxValueType OnnxValueType { get; }

    public bool IsTensor => OnnxValueType is OnnxValueType.ONNX_TYPE_TENSOR or OnnxValueType.ONNX_TYPE_SPARSETENSOR;

    public bool IsString
    {
        get
        {
            CheckTensor();
            return _elementType == TensorElementType.String;
        }
    }

    public int[] Dimensions
    {
        get
        {
            CheckTensor();
            return _dimensions;
        }
    }

    public string[] SymbolicDimensions
    {
        get
        {
            CheckTensor();
            return _symbolicDimensions;
        }
    }

    public Type ElementType
    {
        get
        {
            CheckTensor();
            return ElementTypes.Of(_elementType)?.Type;
        }
    }

    public TensorElementType ElementDataType
    {
        get
        {
            CheckTensor();
            return _elementType;
        }
    }

    private void CheckTensor()
    {
        if (!IsTensor)
            throw new OnnxRuntimeException(ErrorCode.Fail, "OnnxValueType must either be a tensor or sparse tensor");
    }
}
