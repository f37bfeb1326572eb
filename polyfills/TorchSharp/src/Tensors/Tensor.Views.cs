using System.Runtime.CompilerServices;

namespace TorchSharp;

public static partial class torch
{
    public unsafe partial class Tensor
    {
        // ---- shapes and views
        public Tensor view(params long[] shape)
        {
            fixed (long* p = shape)
                return Wrap(Native.sx_view(Handle, p, shape.Length), this);
        }

        public Tensor view_as(Tensor other) => view(other.shape);

        public Tensor reshape(params long[] shape)
        {
            fixed (long* p = shape)
                return Wrap(Native.sx_reshape(Handle, p, shape.Length), this);
        }

        public Tensor flatten(long start_dim = 0, long end_dim = -1) => Wrap(Native.sx_flatten(Handle, start_dim, end_dim), this);

        public Tensor unflatten(long dim, params long[] sizes)
        {
            fixed (long* p = sizes)
                return Wrap(Native.sx_unflatten(Handle, dim, p, sizes.Length), this);
        }

        public Tensor unflatten(long dim, Size sizes) => unflatten(dim, sizes.Shape);

        public Tensor permute(params long[] permutation)
        {
            fixed (long* p = permutation)
                return Wrap(Native.sx_permute(Handle, p, permutation.Length), this);
        }

        public Tensor permute(IEnumerable<long> permutation) => permute(permutation.ToArray());

        public Tensor transpose(long dim0, long dim1) => Wrap(Native.sx_transpose(Handle, dim0, dim1), this);

        public Tensor transpose_(long dim0, long dim1) => Done(Native.sx_transpose_(Handle, dim0, dim1));

        public Tensor swapdims(long dim0, long dim1) => transpose(dim0, dim1);

        public Tensor swapaxes(long dim0, long dim1) => transpose(dim0, dim1);

        public Tensor t() => Wrap(Native.sx_t(Handle), this);

        public Tensor mT => transpose(-2, -1);

        public Tensor unsqueeze(long dim) => Wrap(Native.sx_unsqueeze(Handle, dim), this);

        public Tensor unsqueeze_(long dim) => Done(Native.sx_unsqueeze_(Handle, dim));

        public Tensor squeeze(long? dim = null) => Wrap(dim is { } d ? Native.sx_squeeze_dim(Handle, d) : Native.sx_squeeze(Handle), this);

        public Tensor squeeze_(long? dim = null) => Done(dim is { } d ? Native.sx_squeeze__dim(Handle, d) : Native.sx_squeeze_(Handle));

        public Tensor expand(ReadOnlySpan<long> sizes, bool isImplicit = false)
        {
            fixed (long* p = sizes)
                return Wrap(Native.sx_expand(Handle, p, sizes.Length, Flag(isImplicit)), this);
        }

        public Tensor expand(Size sizes, bool isImplicit = false) => expand((ReadOnlySpan<long>)sizes.Shape, isImplicit);

        public Tensor expand(long[] sizes, bool isImplicit = false) => expand((ReadOnlySpan<long>)sizes, isImplicit);

        public Tensor expand(params long[] sizes) => expand((ReadOnlySpan<long>)sizes, false);

        public Tensor expand_as(Tensor other) => expand(other.shape);

        public Tensor broadcast_to(params long[] shape)
        {
            fixed (long* p = shape)
                return Wrap(Native.sx_broadcast_to(Handle, p, shape.Length), this);
        }

        public Tensor repeat(params long[] sizes)
        {
            fixed (long* p = sizes)
                return Wrap(Native.sx_repeat(Handle, p, sizes.Length), this);
        }

        public Tensor tile(long[] reps)
        {
            fixed (long* p = reps)
                return Wrap(Native.sx_tile(Handle, p, reps.Length), this);
        }

        public Tensor repeat_interleave(Tensor repeats, long? dim = null, long? output_size = null)
        {
            long d = dim ?? 0, size = output_size ?? 0;
            return Wrap(Native.sx_repeat_interleave_tensor(Handle, repeats.Handle, dim is null ? null : &d, output_size is null ? null : &size), this, repeats);
        }

        public Tensor repeat_interleave(long repeats, long? dim = null, long? output_size = null)
        {
            long d = dim ?? 0, size = output_size ?? 0;
            return Wrap(Native.sx_repeat_interleave(Handle, repeats, dim is null ? null : &d, output_size is null ? null : &size), this);
        }

        public Tensor flip(params long[] dims)
        {
            fixed (long* p = dims)
                return Wrap(Native.sx_flip(Handle, p, dims.Length), this);
        }

        public Tensor roll(long[] shifts, long[] dims) => roll((ReadOnlySpan<long>)shifts, dims);

        public Tensor roll(ReadOnlySpan<long> shifts, ReadOnlySpan<long> dims = default)
        {
            fixed (long* s = shifts, d = dims)
                return Wrap(Native.sx_roll(Handle, s, shifts.Length, d, dims.Length), this);
        }

        public Tensor movedim(long[] source, long[] destination)
        {
            fixed (long* s = source, d = destination)
                return Wrap(Native.sx_movedim(Handle, s, source.Length, d, destination.Length), this);
        }

        public Tensor moveaxis(long[] source, long[] destination) => movedim(source, destination);

        public Tensor as_strided(long[] size, long[] strides, long storageOffset = 0L)
        {
            fixed (long* s = size, d = strides)
                return Wrap(Native.sx_as_strided(Handle, s, size.Length, d, strides.Length, storageOffset), this);
        }

        public Tensor tril(long diagonal = 0) => Wrap(Native.sx_tril(Handle, diagonal), this);

        public Tensor tril_(long diagonal = 0) => Done(Native.sx_tril_(Handle, diagonal));

        public Tensor triu(long diagonal = 0) => Wrap(Native.sx_triu(Handle, diagonal), this);

        public Tensor triu_(long diagonal = 0) => Done(Native.sx_triu_(Handle, diagonal));

        public Tensor diag(long diagonal = 0) => Wrap(Native.sx_diag(Handle, diagonal), this);

        // ---- parting
        public Tensor[] split(long size, int dim = 0)
        {
            int count;
            return TakeAll(Native.sx_split(Handle, size, dim, &count), count, this);
        }

        public Tensor[] split(ReadOnlySpan<long> sizes, long dim = 0)
        {
            int count;
            fixed (long* p = sizes)
                return TakeAll(Native.sx_split_sizes(Handle, p, sizes.Length, dim, &count), count, this);
        }

        public Tensor[] split(long[] sizes, long dim = 0) => split((ReadOnlySpan<long>)sizes, dim);

        public Tensor[] split(params long[] sizes) => split((ReadOnlySpan<long>)sizes, 0);

        public Tensor[] chunk(long chunks, long dim = 0L)
        {
            int count;
            return TakeAll(Native.sx_chunk(Handle, chunks, dim, &count), count, this);
        }

        public Tensor[] unbind(long dimension = 0L)
        {
            int count;
            return TakeAll(Native.sx_unbind(Handle, dimension, &count), count, this);
        }

        // ---- picking and placing
        public Tensor select(long dim, long index) => Wrap(Native.sx_select(Handle, dim, index), this);

        public Tensor narrow(long dim, long start, long length) => Wrap(Native.sx_narrow(Handle, dim, start, length), this);

        public Tensor slice(long dim, long start, long finish, long step) => Wrap(Native.sx_slice(Handle, dim, start, finish, step), this);

        public Tensor index_select(long dim, Tensor index) => Wrap(Native.sx_index_select(Handle, dim, index.Handle), this, index);

        public Tensor gather(long dim, Tensor index) => Wrap(Native.sx_gather(Handle, dim, index.Handle), this, index);

        public Tensor take_along_dim(Tensor indices, long dim) => Wrap(Native.sx_take_along_dim(Handle, indices.Handle, dim), this, indices);

        public Tensor scatter(long dim, Tensor index, Tensor src) => Wrap(Native.sx_scatter(Handle, dim, index.Handle, src.Handle), this, index, src);

        public Tensor scatter_(long dim, Tensor index, Tensor src) => Done(Native.sx_scatter_(Handle, dim, index.Handle, src.Handle), index, src);

        public Tensor scatter_add(long dim, Tensor index, Tensor src) => Wrap(Native.sx_scatter_add(Handle, dim, index.Handle, src.Handle), this, index, src);

        public Tensor scatter_add_(long dim, Tensor index, Tensor src) => Done(Native.sx_scatter_add_(Handle, dim, index.Handle, src.Handle), index, src);

        public Tensor index_add(long dim, Tensor index, Tensor source, Scalar alpha) =>
            Wrap(Native.sx_index_add(Handle, dim, index.Handle, source.Handle, alpha.Value), this, index, source);

        public Tensor index_add_(long dim, Tensor index, Tensor source, Scalar alpha) =>
            Done(Native.sx_index_add_(Handle, dim, index.Handle, source.Handle, alpha.Value), index, source);

        public Tensor index_copy(long dim, Tensor index, Tensor source) => Wrap(Native.sx_index_copy(Handle, dim, index.Handle, source.Handle), this, index, source);

        public Tensor index_copy_(long dim, Tensor index, Tensor source) => Done(Native.sx_index_copy_(Handle, dim, index.Handle, source.Handle), index, source);

        public Tensor index_fill(long dim, Tensor index, Scalar value) => Wrap(Native.sx_index_fill(Handle, dim, index.Handle, value.Value), this, index);

        public Tensor index_fill_(long dim, Tensor index, Scalar value) => Done(Native.sx_index_fill_(Handle, dim, index.Handle, value.Value), index);

        public Tensor masked_fill(Tensor mask, Scalar value) => Wrap(Native.sx_masked_fill(Handle, mask.Handle, value.Value), this, mask);

        public Tensor masked_fill_(Tensor mask, Scalar value) => Done(Native.sx_masked_fill_(Handle, mask.Handle, value.Value), mask);

        public Tensor masked_select(Tensor mask) => Wrap(Native.sx_masked_select(Handle, mask.Handle), this, mask);

        public Tensor masked_scatter(Tensor mask, Tensor value) => Wrap(Native.sx_masked_scatter(Handle, mask.Handle, value.Handle), this, mask, value);

        public Tensor masked_scatter_(Tensor mask, Tensor value) => Done(Native.sx_masked_scatter_(Handle, mask.Handle, value.Handle), mask, value);

        public Tensor where(Tensor condition, Tensor y) => Wrap(Native.sx_where(condition.Handle, Handle, y.Handle), this, condition, y);

        public Tensor nonzero() => Wrap(Native.sx_nonzero(Handle), this);

        // ---- index expressions
        [IndexerName("TensorItems")]
        public Tensor this[params TensorIndex[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        [IndexerName("TensorItems")]
        public Tensor this[params Tensor[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1]
        {
            get => Pick([i1]);
            set => Place([i1], value);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2]
        {
            get => Pick([i1, i2]);
            set => Place([i1, i2], value);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3]
        {
            get => Pick([i1, i2, i3]);
            set => Place([i1, i2, i3], value);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3, long i4]
        {
            get => Pick([i1, i2, i3, i4]);
            set => Place([i1, i2, i3, i4], value);
        }

        private Tensor Pick(ReadOnlySpan<long> where)
        {
            var parts = stackalloc IndexPart[where.Length];
            for (var i = 0; i < where.Length; i++)
                parts[i] = new IndexPart { Kind = 1, Has = 1, Start = where[i] };
            return Wrap(Native.sx_index(Handle, parts, where.Length), this);
        }

        private void Place(ReadOnlySpan<long> where, Tensor value)
        {
            var parts = stackalloc IndexPart[where.Length];
            for (var i = 0; i < where.Length; i++)
                parts[i] = new IndexPart { Kind = 1, Has = 1, Start = where[i] };
            Done(Native.sx_index_put_(Handle, parts, where.Length, value.Handle), value);
        }

        public Tensor index(params TensorIndex[] indices)
        {
            fixed (IndexPart* parts = Parts(indices))
                return Wrap(Native.sx_index(Handle, parts, indices.Length), this, indices);
        }

        public Tensor index(params Tensor[] indices) => index(indices.Select(TensorIndex.Tensor).ToArray());

        public Tensor index_put_(Tensor value, params TensorIndex[] indices)
        {
            fixed (IndexPart* parts = Parts(indices))
                return Done(Native.sx_index_put_(Handle, parts, indices.Length, value.Handle), value, indices);
        }

        public Tensor index_put_(Tensor value, params Tensor[] indices) => index_put_(value, indices, false);

        public Tensor index_put_(Tensor value, Tensor[] indices, bool accumulate = false)
        {
            fixed (nint* handles = indices.Handles())
                return Done(Native.sx_index_put_tensors_(Handle, handles, indices.Length, value.Handle, Flag(accumulate)), value, indices);
        }

        public Tensor index_put_(Scalar value, params TensorIndex[] indices)
        {
            fixed (IndexPart* parts = Parts(indices))
                return Done(Native.sx_index_put_scalar_(Handle, parts, indices.Length, value.Value), indices);
        }

        private static IndexPart[] Parts(TensorIndex[] indices) => Array.ConvertAll(indices, i => i.Part);
    }

    /// <summary>One part of an index expression: a number, a slice, a tensor, `...` or a new axis.</summary>
    public struct TensorIndex
    {
        internal IndexPart Part;
        internal Tensor? tensor;

        public static TensorIndex Slice(long? start = null, long? stop = null, long? step = null) => new()
        {
            Part = new IndexPart
            {
                Kind = 5,
                Has = (start is null ? 0 : 1) | (stop is null ? 0 : 2) | (step is null ? 0 : 4),
                Start = start ?? 0,
                Stop = stop ?? 0,
                Step = step ?? 1,
            },
        };

        public static TensorIndex Slice((int? start, int? end) range) => Slice(range.start, range.end);

        public static TensorIndex Slice(Range range) => Slice(From(range.Start), range.End is { IsFromEnd: true, Value: 0 } ? null : From(range.End));

        public static TensorIndex Bool(bool value) => new() { Part = new IndexPart { Kind = 3, Has = 1, Start = value ? 1 : 0 } };

        public static TensorIndex Single(long? index) => new() { Part = new IndexPart { Kind = 1, Has = 1, Start = index.GetValueOrDefault() } };

        public static TensorIndex Tensor(Tensor tensor) => new() { tensor = tensor, Part = new IndexPart { Kind = 4, Tensor = tensor.Handle } };

        public static TensorIndex Ellipsis = new() { Part = new IndexPart { Kind = 2 } };

        public static TensorIndex None = new() { Part = new IndexPart { Kind = 0 } };

        public static TensorIndex Null = None;

        public static TensorIndex Colon = Slice();

        public static implicit operator TensorIndex(long value) => Single(value);

        public static implicit operator Tensor(TensorIndex value) => throw new InvalidOperationException("Should not be called.");

        public static implicit operator TensorIndex((int? start, int? end) range) => Slice(range);

        public static implicit operator TensorIndex(Range range) => Slice(range);

        public static implicit operator TensorIndex(Index index) => Single(From(index));

        private static long From(Index index) => index.IsFromEnd ? -index.Value : index.Value;
    }
}
