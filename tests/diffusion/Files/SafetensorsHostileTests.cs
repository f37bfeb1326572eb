using System.Buffers.Binary;
using System.Text;
using Sdxl.Diffusion.Files;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Files;

/// <summary>Abuses tried, each with the one error that stops it.</summary>
public sealed class SafetensorsHostileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("sdxl-safetensors-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public static TheoryData<string, string, int, string> Headers =>
        new()
        {
            // name, header, data bytes, what the error says
            { "shape larger than data", """{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "takes 12 bytes" },
            {
                "shape that overflows",
                """{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}""",
                8,
                "more than 2^63"
            },
            {
                "shape that overflows beside a zero side",
                """{"a":{"dtype":"F32","shape":[4611686018427387904,4611686018427387904,0],"data_offsets":[0,0]}}""",
                0,
                "more than 2^63"
            },
            {
                "65 sides",
                """{"a":{"dtype":"F32","shape":[""" + string.Join(',', Enumerable.Repeat('1', 65)) + """],"data_offsets":[0,4]}}""",
                4,
                "more than 64 numbers in shape"
            },
            { "end beyond the file", """{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", 8, "only 8 bytes of data" },
            { "end before begin", """{"a":{"dtype":"F32","shape":[0],"data_offsets":[8,0]}}""", 8, "begin <= end" },
            { "negative offset", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}""", 8, "whole number from 0" },
            { "fractional shape", """{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,8]}}""", 8, "whole number from 0" },
            { "huge number", """{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}""", 8, "whole number from 0" },
            { "hole at the start", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "4 bytes before tensor 'a'" },
            {
                "hole in the middle",
                """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""",
                12,
                "4 bytes before tensor 'b'"
            },
            { "bytes after the end", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 8, "Bytes after the last tensor" },
            {
                "overlap",
                """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""",
                12,
                "inside 'a'"
            },
            {
                "two tensors on the same bytes",
                """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""",
                8,
                "inside 'a'"
            },
            {
                "duplicate name",
                """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""",
                8,
                "'a' is listed twice"
            },
            { "duplicate field", """{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "'dtype' twice" },
            { "unknown field", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"pickle":"x"}}""", 8, "unknown field 'pickle'" },
            { "missing dtype", """{"a":{"shape":[2],"data_offsets":[0,8]}}""", 8, "lacks dtype" },
            { "unknown dtype", """{"a":{"dtype":"F4","shape":[8],"data_offsets":[0,8]}}""", 8, "dtype 'F4'" },
            {
                "endless name",
                "{\"" + new string('a', 1001) + "\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
                8,
                "a tensor name of 1001 letters"
            },
            { "dtype in small letters", """{"a":{"dtype":"f32","shape":[2],"data_offsets":[0,8]}}""", 8, "dtype 'f32'" },
            {
                "three offsets",
                """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4,8]}}""",
                8,
                "more than 2 numbers in data_offsets; expected [begin, end]"
            },
            { "tensor that is no object", """{"a":7}""", 0, "expected StartObject" },
            { "metadata twice", """{"__metadata__":{},"__metadata__":{}}""", 0, "listed twice" },
            { "metadata that is no text", """{"__metadata__":{"a":1}}""", 0, "expected String" },
            { "header that is an array", "[1,2,3]", 0, "expected 0x7B" },
            { "header that ends early", """{"a":{"dtype":"F32" """, 0, "not valid JSON" },
            { "text after the object", """{} {"a":1}""", 0, "not valid JSON" },
            { "deep nesting", "{\"a\":" + new string('[', 200) + "}", 0, "expected StartObject" },
        };

    [Theory]
    [MemberData(nameof(Headers))]
    public void A_lying_header_is_refused_by_one_clear_error(string name, string header, int dataBytes, string says)
    {
        var path = Write(name, File(header, dataBytes));
        var error = Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(path));
        Assert.Contains(says, error.Message);
        Assert.Contains(path, error.Message);
    }

    [Theory]
    [InlineData(new byte[0], "8-byte header length")]
    [InlineData(new byte[] { 1, 2, 3 }, "8-byte header length")]
    [InlineData(new byte[] { 255, 255, 255, 255, 255, 255, 255, 127, 123 }, "at most 100000000")]
    [InlineData(new byte[] { 0, 0, 0, 1, 0, 0, 0, 0, 123, 125 }, "only 2 bytes follow")]
    [InlineData(new byte[] { 1, 0, 0, 0, 0, 0, 0, 0, 123 }, "smallest is 2")]
    [InlineData(new byte[] { 0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9 }, "pickle")]
    [InlineData(new byte[] { 0x50, 0x4b, 3, 4, 20, 0, 0, 0, 8, 0 }, "zip (torch.save)")]
    public void Bytes_that_are_no_safetensors_file_are_refused(byte[] bytes, string says) =>
        Assert.Contains(says, Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(Write("bytes", bytes))).Message);

    [Theory]
    [InlineData("model.bin")]
    [InlineData("model.pt")]
    [InlineData("model.CKPT")]
    public void A_pickle_is_refused_by_its_name_whatever_it_holds(string name)
    {
        var path = Path.Combine(folder, name);
        System.IO.File.WriteAllBytes(path, File("{}", 0));
        Assert.Contains("never read", Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(path)).Message);
    }

    [Fact]
    public void A_header_of_640_bytes_is_no_pickle()
    {
        var path = Write("640", File("{}".PadRight(640), 0)); // its length begins 0x80 0x02
        using var file = SafetensorsFile.Open(path);
        Assert.Empty(file.Entries);
    }

    [Fact]
    public void A_claimed_size_far_beyond_the_file_allocates_nothing()
    {
        var path = Write("huge", File("""{"a":{"dtype":"F64","shape":[1000000000000],"data_offsets":[0,8000000000000]}}""", 8));
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(path));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1_000_000);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[""", """],"data_offsets":[0,0]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0],"data_offsets":[""", """]}}""")]
    public void Millions_of_numbers_in_a_header_allocate_little_more_than_the_header_and_give_a_short_error(string before, string after)
    {
        var path = Write("numbers", File(before + string.Join(',', Enumerable.Repeat('0', 2_000_000)) + after, 0));
        var size = new FileInfo(path).Length;
        var start = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(path)).Message;
        var allocated = GC.GetAllocatedBytesForCurrentThread() - start;
        Assert.True(allocated < size + 200_000, $"file {size} bytes, allocated {allocated}");
        Assert.True(error.Length < 600, $"message of {error.Length} characters");
    }

    [Theory]
    [InlineData("", "\"{0}\":{{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", "", "more than 200000 tensors")]
    [InlineData("\"__metadata__\":{", "\"{0}\":\"\"", "}", "more than 20000 entries")]
    public void Hundreds_of_thousands_of_empty_entries_are_refused(string before, string entry, string after, string says)
    {
        var path = Write(
            "entries",
            File(
                "{"
                    + before
                    + string.Join(
                        ',',
                        Enumerable.Range(0, 300_000).Select(i => string.Format(System.Globalization.CultureInfo.InvariantCulture, entry, i))
                    )
                    + after
                    + "}",
                0
            )
        );
        Assert.Contains(says, Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(path)).Message);
    }

    [Fact]
    public void Every_truncation_of_a_file_is_refused()
    {
        var whole = File(
            """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[3],"data_offsets":[4,7]}}""",
            7
        );
        for (var length = 0; length < whole.Length; length++)
            Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(Write("cut", whole[..length])));
    }

    [Fact]
    public void Tensors_of_every_type_come_back_and_the_order_of_writing_does_not_matter()
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>
        {
            ["f32"] = Num(6).Range(ScalarType.Float32).view(2, 3).t(), // not contiguous
            ["f16"] = ones(3, ScalarType.Float16),
            ["bf16"] = ones(3, ScalarType.BFloat16) * Num(3),
            ["f64"] = tensor(1e300),
            ["i64"] = tensor(new[] { long.MinValue, 7L }),
            ["i32"] = tensor(new[] { -5, 7 }),
            ["u8"] = tensor(new byte[] { 0, 255 }),
            ["bool"] = tensor(new[] { true, false }),
            ["empty"] = zeros(0, 4),
            ["é \"quoted\""] = ones(1),
        };
        var metadata = new Dictionary<string, string> { ["b"] = "2", ["a"] = "1" };
        var (one, two) = (Path.Combine(folder, "one.safetensors"), Path.Combine(folder, "two.safetensors"));
        SafetensorsWriter.Write(one, tensors, metadata);
        SafetensorsWriter.Write(two, tensors.Reverse(), metadata.Reverse().ToDictionary());
        Assert.Equal(System.IO.File.ReadAllBytes(one), System.IO.File.ReadAllBytes(two));
        Assert.Equal(2, Directory.GetFiles(folder).Length); // no temporary left

        using var file = SafetensorsFile.Open(one);
        Assert.Equal(metadata, file.Metadata);
        foreach (var (name, tensor) in tensors)
        {
            Assert.Equal(tensor.shape, file.Entries[name].Shape);
            var back = file.Read(name);
            Assert.Equal(tensor.dtype, back.dtype);
            Assert.True(tensor.eq(back).all().item<bool>(), name);
        }
    }

    [Fact]
    public void A_file_inside_another_is_read_in_place()
    {
        var inner = File("""{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}""", 3);
        var path = Write("outer", [9, 9, 9, .. inner, 8, 8]);
        using var file = SafetensorsFile.Open(path, 3, inner.Length);
        Assert.Equal([0, 1, 2], file.Read("a").data<byte>().ToArray());
    }

    private string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(folder, name + ".safetensors");
        System.IO.File.WriteAllBytes(path, bytes);
        return path;
    }

    private static byte[] File(string header, int dataBytes)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)json.Length);
        json.CopyTo(bytes, 8);
        for (var i = 0; i < dataBytes; i++)
            bytes[8 + json.Length + i] = (byte)i;
        return bytes;
    }
}
