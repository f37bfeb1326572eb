using Sdxl.Pictures.Colours;

namespace Sdxl.Pictures.Formats;

/// <summary>A JPEG's colour profile, put together from its APP2 segments. Source: ICC.1:2022, annex B.4.</summary>
internal sealed class JpegProfile
{
    private const int HeaderBytes = 14; // "ICC_PROFILE", 0, number, count

    private readonly SortedDictionary<byte, byte[]> _parts = [];
    private int _count, _bytes;

    /// <summary>An APP2 segment without marker and length; others than of a profile are passed over.</summary>
    public void Take(ReadOnlySpan<byte> segment)
    {
        if (segment.Length < HeaderBytes || !segment.StartsWith("ICC_PROFILE\0"u8) || _bytes + segment.Length > ColourProfile.MostBytes)
            return;
        var (number, bytes) = (segment[12], segment[HeaderBytes..].ToArray());
        if (!_parts.TryAdd(number, bytes))
            return; // of a second profile
        _count = segment[13];
        _bytes += bytes.Length;
    }

    /// <summary>Segments stand in any order; one that is missing makes the profile unreadable.</summary>
    public ColourProfile Read(bool isCmyk)
    {
        if (_parts.Count == 0)
            return ColourProfile.Read([]);
        return _parts.Count < _count ? ColourProfile.Named("is incomplete")
            : ColourProfile.Read(_parts.Values.SelectMany(part => part).ToArray(), isCmyk);
    }
}
