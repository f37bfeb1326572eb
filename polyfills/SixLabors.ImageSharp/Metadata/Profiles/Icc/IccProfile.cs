namespace SixLabors.ImageSharp.Metadata.Profiles.Icc;

/// <summary>A colour profile, kept as it is; pixels are not converted by it.</summary>
public sealed class IccProfile : IDeepCloneable<IccProfile>
{
    private readonly byte[] data;

    public IccProfile(byte[] data) => this.data = data;

    public IccProfile DeepClone() => new((byte[])data.Clone());

    public byte[] ToByteArray() => (byte[])data.Clone();
}
