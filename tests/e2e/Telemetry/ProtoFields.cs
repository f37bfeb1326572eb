using System.Text;

namespace Sdxl.EndToEnd.Tests.Telemetry;

/// <summary>Protocol Buffers' wire format, as much as reading OTLP needs: a message is a row of (field number, value).</summary>
/// <param name="Number">As the .proto file numbers it.</param>
/// <param name="Bytes">Of a length-delimited field: text, bytes or a message within; else empty.</param>
internal readonly record struct ProtoField(int Number, byte[] Bytes)
{
    public string Text => Encoding.UTF8.GetString(Bytes);

    public string Hex => Convert.ToHexStringLower(Bytes);

    public static IEnumerable<ProtoField> Read(byte[] message)
    {
        for (var at = 0; at < message.Length;)
        {
            var tag = Varint(message, ref at);
            switch (tag & 7)
            {
                case 0:
                    Varint(message, ref at);
                    break;
                case 1:
                    at += sizeof(ulong);
                    break;
                case 2:
                    var length = (int)Varint(message, ref at);
                    yield return new ProtoField((int)(tag >> 3), message[at..(at + length)]);
                    at += length;
                    break;
                case 5:
                    at += sizeof(uint);
                    break;
                case var type:
                    throw new InvalidDataException($"Wire type {type} at byte {at}: this is no Protocol Buffers message.");
            }
        }
    }

    /// <summary>The fields that a path of numbers leads to, each step into the messages of the one before.</summary>
    public static IEnumerable<ProtoField> Find(byte[] message, params ReadOnlySpan<int> path)
    {
        IEnumerable<ProtoField> found = [new ProtoField(0, message)];
        foreach (var number in path)
            found = found.SelectMany(field => Read(field.Bytes)).Where(field => field.Number == number).ToList();
        return found;
    }

    private static ulong Varint(byte[] message, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var part = message[at++];
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
                return value;
        }
    }
}
