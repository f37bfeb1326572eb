namespace SixLabors.ImageSharp;

/// <summary>Can be copied with everything in it.</summary>
public interface IDeepCloneable
{
    IDeepCloneable DeepClone();
}

/// <summary>Can be copied with everything in it.</summary>
public interface IDeepCloneable<out T>
    where T : class
{
    T DeepClone();
}
