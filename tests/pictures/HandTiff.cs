namespace Sdxl.Tests.Pictures;

/// <summary>A TIFF of one page written tag by tag, so that a test can lie in any of them.</summary>
internal sealed class HandTiff(bool bigEndian = false)
{
    private readonly SortedDictionary<int, (int Type, long[] Values)> _tags = [];
    private readonly List<byte[]> _strips = [];

    /// <summary>Grey of 8 bits in one plain strip, unless tags say otherwise.</summary>
    public static HandTiff Grey(int width, int height, params byte[] pixels) => new HandTiff()
        .Short(256, width).Short(257, height).Short(258, 8).Short(259, 1).Short(262, 1).Short(277, 1).Short(278, height).Strip(pixels);

    /// <summary>Red green blue of 8 bits in one plain strip.</summary>
    public static HandTiff Rgb(int width, int height, params byte[] pixels) =>
        new HandTiff()
            .Short(256, width)
            .Short(257, height)
            .Short(258, 8, 8, 8)
            .Short(259, 1)
            .Short(262, 2)
            .Short(277, 3)
            .Short(278, height)
            .Strip(pixels);

    public HandTiff Short(int tag, params long[] values) => Set(tag, 3, values);

    public HandTiff Long(int tag, params long[] values) => Set(tag, 4, values);

    /// <summary>Bytes of no said meaning.</summary>
    public HandTiff Undefined(int tag, byte[] bytes) => Set(tag, 7, [.. bytes.Select(b => (long)b)]);

    public HandTiff Strip(params byte[] bytes)
    {
        _strips.Add(bytes);
        return this;
    }

    public byte[] Bytes()
    {
        var at = 8L;
        var offsets = _strips.ConvertAll(strip => (at += strip.Length) - strip.Length);
        _tags.TryAdd(273, (4, [.. offsets]));
        _tags.TryAdd(279, (4, [.. _strips.Select(strip => (long)strip.Length)]));
        using var stream = new MemoryStream();
        stream.Write(bigEndian ? "MM\0*"u8 : "II*\0"u8);
        Number(4, at);
        _strips.ForEach(strip => stream.Write(strip));
        var valuesAt = at + 2 + 12 * _tags.Count + 4;
        Number(2, _tags.Count);
        foreach (var (tag, (type, values)) in _tags)
        {
            var (size, bytes) = (Size(type), values.Length * Size(type));
            Number(2, tag);
            Number(2, type);
            Number(4, values.Length);
            if (bytes > 4)
            {
                Number(4, valuesAt);
                valuesAt += bytes;
                continue;
            }
            Array.ForEach(values, value => Number(size, value));
            stream.Write(new byte[4 - bytes]);
        }
        Number(4, 0);
        foreach (var (type, values) in _tags.Values.Where(tag => tag.Values.Length * Size(tag.Type) > 4))
            Array.ForEach(values, value => Number(Size(type), value));
        return stream.ToArray();

        static int Size(int type) => type switch { 7 => 1, 3 => 2, _ => 4 };

        void Number(int size, long value)
        {
            for (var i = 0; i < size; i++)
                stream.WriteByte((byte)(value >> 8 * (bigEndian ? size - 1 - i : i)));
        }
    }

    private HandTiff Set(int tag, int type, long[] values)
    {
        _tags[tag] = (type, values);
        return this;
    }
}
