namespace Sdxl.Pictures;

/// <summary>
/// Resizes exactly as Pillow does, byte for byte, while the rows come in: a large picture is never there whole, only the rows that the next
/// output row needs (a dozen, narrowed already).
/// </summary>
/// <remarks>
/// Separable, first along rows, then along columns, 8-bit between the two; weights in fixed point with 22 bits. A direction whose length
/// stays is not filtered. Source: python-pillow src/libImaging/Resample.c.
/// </remarks>
internal sealed class RowResizer
{
    private const int Half = 1 << (ResizeWeights.PrecisionBits - 1);

    private readonly int _rows, _channels, _stride;
    private readonly ResizeWeights? _across, _down;
    private readonly byte[] _kept = [];         // a ring of narrowed rows
    private readonly int[] _sums = [];
    private int _taken, _given;

    /// <param name="channels">Bytes a pixel, interleaved; each is filtered by itself.</param>
    public RowResizer(int width, int height, int toWidth, int toHeight, int channels, ResizeFilter filter)
    {
        (_rows, _channels, _stride) = (height, channels, toWidth * channels);
        Result = new PixelGrid(toWidth, toHeight, channels);
        _across = toWidth == width ? null : new ResizeWeights(width, toWidth, filter);
        if (toHeight != height)
        {
            _down = new ResizeWeights(height, toHeight, filter);
            (_kept, _sums) = (new byte[_down.Longest * _stride], new int[_stride]);
        }
    }

    /// <summary>Whole once every row was taken.</summary>
    public PixelGrid Result { get; }

    public bool IsComplete => _taken == _rows;

    /// <summary>The next row from the top.</summary>
    /// <exception cref="InvalidOperationException">More rows than were announced.</exception>
    public void Take(ReadOnlySpan<byte> row)
    {
        if (IsComplete)
            throw new InvalidOperationException($"Expected {_rows} rows, got another.");
        var slot = _down is null ? Result.Data.AsSpan(_taken * _stride, _stride) : _kept.AsSpan(_taken % _down.Longest * _stride, _stride);
        if (_across is null)
            row[.._stride].CopyTo(slot);
        else if (_channels == 3)
            Narrow3(row, slot, _across);
        else
            Narrow(row, slot, _across);
        _taken++;
        if (_down is null)
            return;
        while (_given < _down.Count && _down.First(_given) + _down.Factors(_given).Length <= _taken)
            Give(_down);
    }

    /// <summary>The next output row, all of whose inputs are kept.</summary>
    private void Give(ResizeWeights down)
    {
        var factors = down.Factors(_given);
        Array.Fill(_sums, Half);
        for (var k = 0; k < factors.Length; k++)        // row by row: the inner loop runs along memory
        {
            var row = _kept.AsSpan((down.First(_given) + k) % down.Longest * _stride, _stride);
            var factor = factors[k];
            for (var i = 0; i < row.Length; i++)
                _sums[i] += row[i] * factor;
        }
        var to = Result.Data.AsSpan(_given * _stride, _stride);
        for (var i = 0; i < to.Length; i++)
            to[i] = Clip(_sums[i]);
        _given++;
    }

    private static void Narrow3(ReadOnlySpan<byte> from, Span<byte> to, ResizeWeights across)
    {
        for (var x = 0; x < across.Count; x++)
        {
            var factors = across.Factors(x);
            int red = Half, green = Half, blue = Half;
            var at = from.Slice(across.First(x) * 3, factors.Length * 3);
            for (var k = 0; k < factors.Length; k++)
            {
                red += at[3 * k] * factors[k];
                green += at[3 * k + 1] * factors[k];
                blue += at[3 * k + 2] * factors[k];
            }
            (to[3 * x], to[3 * x + 1], to[3 * x + 2]) = (Clip(red), Clip(green), Clip(blue));
        }
    }

    private void Narrow(ReadOnlySpan<byte> from, Span<byte> to, ResizeWeights across)
    {
        for (var x = 0; x < across.Count; x++)
        {
            var first = across.First(x);
            var factors = across.Factors(x);
            for (var c = 0; c < _channels; c++)
            {
                var sum = Half;
                for (var k = 0; k < factors.Length; k++)
                    sum += from[(first + k) * _channels + c] * factors[k];
                to[x * _channels + c] = Clip(sum);
            }
        }
    }

    private static byte Clip(int sum) => (byte)Math.Clamp(sum >> ResizeWeights.PrecisionBits, 0, 255);
}
