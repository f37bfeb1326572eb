using System.Text.Json;
using Sdxl.Core.Inputs;

namespace Sdxl.Tests.Core.Inputs;

public sealed class DataUriTests
{
    private static readonly byte[] s_bytes = [0xFB, 0xEF, 0xBE, 0xFF, 0xFE, 1, 2]; // base64 with '+', '/' and padding

    public static TheoryData<string> Spellings =>
    [
        "data:image/png;base64,++++//4BAg==",
        "DATA:image/png;BASE64,++++//4BAg==",
        "data:image/png;base64,----__4BAg",
        "data:image/png;base64,----__4BAg==",
        "data:image/png;base64,%2B%2B%2B%2B%2F%2F4BAg%3D%3D",
        "data:image/png;base64,++++\r\n//4B\r\n  Ag== \r\n",
        "data:image/png;base64, ++++//4BAg==\t",
        "data:;base64,++++//4BAg==",
        "data:base64,++++//4BAg==",
        "data:image/png;charset=x;base64,++++//4BAg",
    ];

    [Theory]
    [MemberData(nameof(Spellings))]
    public void A_data_uri_is_read_however_clients_write_it(string text) => Assert.Equal(s_bytes, DataUri.Parse(text, 100).Bytes);

    [Fact]
    public void Spaces_inside_are_the_plus_that_a_form_has_turned_into_them() =>
        Assert.Equal(new byte[] { 3, 0xE0, 0xFB, 0xEF }, DataUri.Parse("data:image/png;base64,A D77w==", 100).Bytes);

    [Theory]
    [InlineData("data:image/png;base64", "has no ',' before its data")]
    [InlineData("data:image/png;base64,", "holds no data")]
    [InlineData("data:image/png;base64,AA*A", "its base64 text is broken, it has '*' at place 3.")]
    [InlineData("data:image/png;base64,AAA%4", "it has '%' at place 4.")]
    [InlineData("data:image/png;base64,AA==AAAA", "it has 'A' at place 5.")]
    [InlineData("data:image/png;base64,AAAAA", "it has 5 digits, a number that no file gives.")]
    [InlineData("data:text/plain,hello", "is not base64")]
    public void What_is_broken_is_said_in_half_a_sentence(string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<DataUriException>(() => DataUri.Parse(text, 100)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_file_over_the_limit_is_too_large()
    {
        Assert.True(Assert.Throws<DataUriException>(() => DataUri.Parse("data:;base64,AAAAAAAA", 5)).IsTooLarge);
        Assert.True(Assert.Throws<DataUriException>(() => DataUri.Parse("data:;base64," + new string('A', 4000), 5)).IsTooLarge);
        Assert.Equal(6, DataUri.Parse("data:;base64,AAAAAAAA", 6).Bytes.Length);
    }

    [Fact]
    public void Its_name_is_kept_without_folders() => Assert.Equal("TOK.safetensors",
        DataUri.Parse("data:application/octet-stream;name=..%2Fx%2FTOK.safetensors;base64,AAAA", 100).Name);

    [Theory]
    [InlineData("d01-datauri-3-url-safe-unpadded.json")]
    [InlineData("d01-datauri-6-percent-encoded.json")]
    public void D01_the_reported_spellings_are_pictures(string name)
    {
        using var body = JsonDocument.Parse(File.ReadAllText(TestPaths.Fixture("reports", name)));
        var bytes = DataUri.Parse(body.RootElement.GetProperty("input").GetProperty("image").GetString()!, 1 << 20).Bytes;
        Assert.Equal([0x89, .. "PNG\r\n"u8], bytes[..6]);
        Assert.Equal([.. "IEND"u8, 0xAE, 0x42, 0x60, 0x82], bytes[^8..]);
    }
}
