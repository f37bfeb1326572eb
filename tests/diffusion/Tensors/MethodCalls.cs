using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Sdxl.Diffusion.Tests.Tensors;

/// <summary>A method as a scan sees it: declaring type, name and parameter types, each written as "Namespace.Type/Nested".</summary>
internal readonly record struct MethodName(string Type, string Name, string Parameters)
{
    public override string ToString() => $"{Type}.{Name}({Parameters})";
}

/// <summary>
/// Who calls whom in an assembly, read from its IL: what the compiler inserts (implicit conversions, operators, default arguments) is seen
/// too.
/// </summary>
internal sealed class MethodCalls
{
    private static readonly FrozenDictionary<int, OpCode> s_opCodes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => (OpCode)f.GetValue(null)!).ToFrozenDictionary(o => (int)(ushort)o.Value);

    private readonly MetadataReader metadata;
    private readonly Names names;
    private readonly List<(MethodName Caller, MethodName Called)> calls = [];

    private MethodCalls(PEReader image)
    {
        metadata = image.GetMetadataReader();
        names = new Names(metadata);
        foreach (var handle in metadata.MethodDefinitions)
        {
            var method = metadata.GetMethodDefinition(handle);
            if (method.RelativeVirtualAddress != 0)
                ReadBody(Name(handle), image.GetMethodBody(method.RelativeVirtualAddress).GetILReader());
        }
    }

    /// <summary>All pairs of the assembly in <paramref name="file"/>; a method whose address is taken counts as called.</summary>
    public static IReadOnlyList<(MethodName Caller, MethodName Called)> In(string file)
    {
        using var image = new PEReader(File.OpenRead(file));
        return new MethodCalls(image).calls;
    }

    private void ReadBody(MethodName caller, BlobReader il)
    {
        while (il.RemainingBytes > 0)
        {
            int first = il.ReadByte();
            var code = s_opCodes[first == 0xFE ? 0xFE00 | il.ReadByte() : first];
            switch (code.OperandType)
            {
                case OperandType.InlineMethod:
                    calls.Add((caller, Name(MetadataTokens.EntityHandle(il.ReadInt32()))));
                    break;
                case OperandType.InlineSwitch:
                    var targets = il.ReadInt32();
                    il.Offset += 4 * targets;
                    break;
                case OperandType.InlineNone:
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    il.Offset += 1;
                    break;
                case OperandType.InlineVar:
                    il.Offset += 2;
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    il.Offset += 8;
                    break;
                default:
                    il.Offset += 4;
                    break;
            }
        }
    }

    private MethodName Name(EntityHandle handle)
    {
        switch (handle.Kind)
        {
            case HandleKind.MethodDefinition:
                var method = metadata.GetMethodDefinition((MethodDefinitionHandle)handle);
                return new(
                    names.GetTypeFromDefinition(metadata, method.GetDeclaringType(), 0), metadata.GetString(method.Name),
                    Parameters(method.DecodeSignature(names, null)));
            case HandleKind.MemberReference:
                var member = metadata.GetMemberReference((MemberReferenceHandle)handle);
                return new(names.Of(member.Parent), metadata.GetString(member.Name), Parameters(member.DecodeMethodSignature(names, null)));
            case HandleKind.MethodSpecification:
                return Name(metadata.GetMethodSpecification((MethodSpecificationHandle)handle).Method);
            default:
                throw new BadImageFormatException($"A call of a {handle.Kind}: the IL was read wrongly.");
        }
    }

    private static string Parameters(MethodSignature<string> signature) => string.Join(", ", signature.ParameterTypes);

    /// <summary>Types as text; a generic type is its definition, so that its methods are found whatever it is made of.</summary>
    private sealed class Names(MetadataReader metadata) : ISignatureTypeProvider<string, object?>
    {
        public string Of(EntityHandle type) => type.Kind switch
        {
            HandleKind.TypeDefinition => GetTypeFromDefinition(metadata, (TypeDefinitionHandle)type, 0),
            HandleKind.TypeReference => GetTypeFromReference(metadata, (TypeReferenceHandle)type, 0),
            HandleKind.TypeSpecification => metadata.GetTypeSpecification((TypeSpecificationHandle)type).DecodeSignature(this, null),
            _ => type.Kind.ToString(),
        };

        public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind)
        {
            var type = reader.GetTypeDefinition(handle);
            var outer = type.GetDeclaringType();
            var outside = outer.IsNil ? null : GetTypeFromDefinition(reader, outer, 0);
            return Join(outside, reader.GetString(type.Namespace), reader.GetString(type.Name));
        }

        public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind)
        {
            var type = reader.GetTypeReference(handle);
            var scope = type.ResolutionScope;
            var outer = scope.Kind == HandleKind.TypeReference ? GetTypeFromReference(reader, (TypeReferenceHandle)scope, 0) : null;
            return Join(outer, reader.GetString(type.Namespace), reader.GetString(type.Name));
        }

        public string GetTypeFromSpecification(MetadataReader reader, object? context, TypeSpecificationHandle handle, byte rawTypeKind) =>
            reader.GetTypeSpecification(handle).DecodeSignature(this, context);

        public string GetGenericInstantiation(string genericType, ImmutableArray<string> typeArguments) => genericType;

        public string GetPrimitiveType(PrimitiveTypeCode typeCode) => typeCode.ToString();

        public string GetSZArrayType(string elementType) => elementType + "[]";

        public string GetArrayType(string elementType, ArrayShape shape) => $"{elementType}[{new string(',', shape.Rank - 1)}]";

        public string GetByReferenceType(string elementType) => elementType + "&";

        public string GetPointerType(string elementType) => elementType + "*";

        public string GetPinnedType(string elementType) => elementType;

        public string GetModifiedType(string modifier, string unmodifiedType, bool isRequired) => unmodifiedType;

        public string GetGenericMethodParameter(object? context, int index) => "!!" + index;

        public string GetGenericTypeParameter(object? context, int index) => "!" + index;

        public string GetFunctionPointerType(MethodSignature<string> signature) => "method";

        private static string Join(string? outer, string space, string name) =>
            outer is not null ? $"{outer}/{name}" : space.Length > 0 ? $"{space}.{name}" : name;
    }
}
