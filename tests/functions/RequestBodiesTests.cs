using Microsoft.AspNetCore.Http;
using Sdxl.Functions.Http;

namespace Sdxl.Tests.Functions;

public sealed class RequestBodiesTests
{
    private const int MaxBytes = 1 << 20;
    private static readonly IntakeException s_tooLarge = new([new IntakeProblem("image", "too large", 413)]);

    [Fact]
    public async Task A_file_over_the_limit_is_too_large() =>
        Assert.Same(s_tooLarge, await RefusalAsync(
            new MultipartFormDataContent { { new ByteArrayContent(new byte[(2 * MaxBytes) + 1]), "image", "large.png" } }));

    [Fact]
    public async Task Several_files_may_have_the_limit_each()
    {
        var form = await ReadAsync(new MultipartFormDataContent
        {
            { new ByteArrayContent(new byte[MaxBytes]), "image", "a.png" }, { new ByteArrayContent(new byte[MaxBytes]), "mask", "b.png" },
            { new ByteArrayContent(new byte[MaxBytes]), "replicate_weights", "c.tar" },
        });
        Assert.Equal([MaxBytes, MaxBytes, MaxBytes], form.Files.Select(file => (int)file.Length));
    }

    [Fact]
    public async Task A_forms_other_limits_are_told_as_they_are()
    {
        var many = new MultipartFormDataContent();
        for (var i = 0; i < 1100; i++)
            many.Add(new StringContent("x"), $"field{i}");
        Assert.Contains("The form cannot be read: Form value count limit 1024 exceeded.", Told(await RefusalAsync(many)),
            StringComparison.Ordinal);

        using var longText = new FormUrlEncodedContent([KeyValuePair.Create("image", new string('a', (1 << 20) + 1))]);
        var told = Told(await RefusalAsync(longText));
        Assert.Contains("value length limit 1048576 exceeded. Send files as file fields of multipart/form-data; a text field may have 1 "
            + "MiB.", told, StringComparison.Ordinal);

        static string Told(IntakeException refused)
        {
            Assert.Equal(400, refused.Problems[0].Status);
            return refused.Message;
        }
    }

    private static Task<IntakeException> RefusalAsync(HttpContent form) => Assert.ThrowsAsync<IntakeException>(() => ReadAsync(form));

    private static async Task<IFormCollection> ReadAsync(HttpContent form)
    {
        var context = new DefaultHttpContext();
        context.Request.ContentType = form.Headers.ContentType!.ToString();
        context.Request.Body = await form.ReadAsStreamAsync();
        return await RequestBodies.FormAsync(context.Request, MaxBytes, "image", () => s_tooLarge, CancellationToken.None);
    }
}
