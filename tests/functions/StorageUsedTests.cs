using System.Text.Json.Nodes;
using Sdxl.Core.Jobs;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Trainings;

namespace Sdxl.Tests.Functions;

/// <summary>What an account's things take and cost.</summary>
[Collection(ProductCollection.Name)]
public sealed class StorageUsedTests(ProductFixture product)
{
    [Fact]
    public async Task What_is_stored_is_counted_for_its_owner_alone()
    {
        var token = await product.TokenAsync(new JsonObject { ["name"] = "s", ["owner"] = "hoarder" });
        using var other = product.With(token["token"]!.ToString());
        var before = await UsedAsync(product.Http);
        Assert.Equal((0, 0), await UsedAsync(other));

        using var form = new MultipartFormDataContent { { new ByteArrayContent(new byte[12_345]), "content", "a.bin" } };
        using var sent = await other.PostAsync("v1/files", form);

        var (bytes, files) = await UsedAsync(other);
        Assert.Equal(12_345, files);
        Assert.InRange(bytes, files + 1, files + 10_000); // with its record
        Assert.Equal(before.Files, (await UsedAsync(product.Http)).Files);

        static async Task<(long Bytes, long Files)> UsedAsync(HttpClient http)
        {
            var told = JsonNode.Parse(await http.GetStringAsync("v1/account/storage"))!;
            return (told["bytes"]!.GetValue<long>(), told["kinds"]!["files"]!.GetValue<long>());
        }
    }

    [Theory]
    [InlineData(2.0, null, 0.5, "the time until now")]
    [InlineData(2.0, 6, 0.2, "the time until its end")]
    [InlineData(null, null, null, "no price is set")]
    public void A_training_costs_its_time_at_the_price_that_is_set(double? hourly, int? minutes, double? cost, string why)
    {
        var start = new DateTimeOffset(2026, 11, 30, 10, 0, 0, TimeSpan.Zero);
        var record = new TrainingRecord
        {
            Id = "t", Owner = "me", Name = "cat", Base = "toy", Source = "http", Stage = TrainingStage.Train, Input = [],
            Status = minutes is null ? JobStatus.Processing : JobStatus.Succeeded,
            CreatedAt = start.AddMinutes(-5), StartedAt = start, CompletedAt = minutes is { } m ? start.AddMinutes(m) : null,
        };
        var options = new SdxlOptions { PricePerHour = hourly };

        Assert.True(RunCost.Of(record, options, start.AddMinutes(15))?.Amount == cost, why);
        Assert.Null(RunCost.Of(record with { StartedAt = null }, options, start.AddMinutes(15)));
    }
}
