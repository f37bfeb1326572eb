using System.Collections;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>The shape of a tensor as a value. Equality is that of the array it holds, as in the real package.</summary>
    public struct Size : IEnumerable<long>
    {
        public static Size Empty = new(Array.Empty<long>());

        private readonly long[] sizes;

        public Size(long[] shape) => sizes = (long[])shape.Clone();

        public Size(IEnumerable<long> shape) => sizes = shape.ToArray();

        public Size(int[] shape) => sizes = Array.ConvertAll(shape, i => (long)i);

        public Size(long size) => sizes = [size];

        public Size((long, long) size) => sizes = [size.Item1, size.Item2];

        public Size((long, long, long) size) => sizes = [size.Item1, size.Item2, size.Item3];

        public Size((long, long, long, long) size) => sizes = [size.Item1, size.Item2, size.Item3, size.Item4];

        public Size(int size) => sizes = [size];

        public static implicit operator Size(long size) => new(size);

        public static implicit operator Size((long, long) size) => new(size);

        public static implicit operator Size((long, long, long) size) => new(size);

        public static implicit operator Size((long, long, long, long) size) => new(size);

        public static implicit operator Size(long[] size) => new(size);

        public static bool operator ==(Size left, Size right) => left.sizes == right.sizes;

        public static bool operator !=(Size left, Size right) => left.sizes != right.sizes;

        public override bool Equals(object? obj) => obj is Size other && sizes.Equals(other.sizes);

        public override int GetHashCode() => sizes.GetHashCode();

        public long numel() => sizes.Aggregate(1L, (product, s) => product * s);

        public bool IsEmpty => sizes.Length == 0;

        public bool IsScalar => IsEmpty;

        public int Length => sizes.Length;

        public IEnumerable<long> Take(int i) => sizes.Take(i);

        public IEnumerator<long> GetEnumerator() => sizes.AsEnumerable().GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public long this[int idx] => sizes[idx];

        public long this[long idx] => sizes[idx];

        public long[] Shape => sizes;
    }
}
