
namespace Sdxl.Tests.Functions;

/// <summary>A mistake in an archive's training.json: the sentence begins with the file, whichever way the archive came.</summary>
[Collection(ProductCollection.Name)]
public sealed class SettingsFileTests(ProductFixture product)
{
    private const string Expected =
        "cats/training.json in cats.tar: There is no input called 'max_train_stps'. Did you mean 'max_train_steps'? "
        + "cats/training.json in cats.tar: Input 'resolution' is 37; it must be 64 to 2048, a multiple of 8 (nearest: 64). "
        + "Input 'lora_rank' is none; it must be a whole number, 1 to 512.";

    private static readonly byte[] s_archive = IncompleteBaseTests.Tar(
        ("cats/a.png", File.ReadAllBytes(Path.Combine(TestPaths.Root, "tests", "fixtures", "shared", "pictures", "plain.png"))),
        ("cats/training.json", "{\"max_train_stps\": 5, \"resolution\": 37, \"lora_rank\": 8}"u8.ToArray()));

    [Fact]
    public async Task Over_http_it_is_told_from_the_mistakes_of_the_request()
    {
        var (status, detail) = await ProductFixture.ProblemAsync(
            await product.PostArchiveAsync("v1/trainings", s_archive, "cats.tar", ("lora_rank", "none"))
        );

        Assert.Equal((422, Expected), (status, detail));
    }

    [Fact]
    public async Task In_the_container_it_is_the_failed_trainings_error()
    {
        await product.Storage.GetBlobContainerClient("uploads").GetBlobClient("mistaken.tar").UploadAsync(new BinaryData(s_archive));

        var training = await product.EndOfUploadAsync("mistaken");

        Assert.Equal("failed", training["status"]!.ToString());
        Assert.StartsWith(
            "cats/training.json in mistaken.tar: There is no input called 'max_train_stps'.",
            training["error"]!.ToString(),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "cats/training.json in mistaken.tar: Input 'resolution' is 37;",
            training["error"]!.ToString(),
            StringComparison.Ordinal
        );
    }
}
