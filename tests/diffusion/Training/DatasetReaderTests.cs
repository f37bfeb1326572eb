using Sdxl.Core.Datasets;
using Sdxl.Diffusion.Nets;
using Sdxl.Diffusion.Training;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Training;

/// <summary>What is kept of a data set between runs, and when it is made anew.</summary>
[Collection("Training runs")]
public sealed class DatasetReaderTests : IDisposable
{
    private readonly TinyRuns runs = new();
    private readonly AutoencoderKL vae = Golden.VaeOf(Golden.BaseFolder);

    public void Dispose()
    {
        vae.Dispose();
        runs.Dispose();
    }

    [Fact]
    public void Latents_come_from_the_cache_to_the_bit_while_picture_crop_and_VAE_are_the_same()
    {
        using var scope = NewDisposeScope();
        var (first, firstLine) = Latents("vae-a");
        var (second, secondLine) = Latents("vae-a");
        Assert.Equal("Latents: 4 encoded, 0 from the cache.", firstLine);
        Assert.Equal("Latents: 0 encoded, 4 from the cache.", secondLine);
        Assert.True(first.bytes.SequenceEqual(second.bytes));
    }

    [Fact]
    public void Another_VAE_another_crop_or_another_picture_is_encoded_again()
    {
        using var scope = NewDisposeScope();
        Latents("vae-a");
        Assert.Equal("Latents: 4 encoded, 0 from the cache.", Latents("vae-b").Line);
        Change(p => p with { CropLeft = p.CropLeft + 1 });
        Assert.Equal("Latents: 1 encoded, 3 from the cache.", Latents("vae-a").Line);
        Change(p => p with { CropTop = p.CropTop + 1 });
        Assert.Equal("Latents: 1 encoded, 3 from the cache.", Latents("vae-a").Line);
        Change(p => p with { Sha256 = new string('0', 64) });
        Assert.Equal("Latents: 1 encoded, 3 from the cache.", Latents("vae-a").Line);
    }

    [Fact]
    public void A_damaged_cached_latent_is_named_and_made_again_to_the_same_bits()
    {
        using var scope = NewDisposeScope();
        var (first, _) = Latents("vae-a");
        File.WriteAllText(Directory.GetFiles(Cache)[0], "not a tensor");
        var lines = new List<string>();
        var (again, _) = new DatasetReader(runs.Dataset, vae.Config.Downscale).Latents(Cache, "vae-a", vae, lines.Add);
        Assert.Contains(lines, l => l.StartsWith("A cached latent is damaged", StringComparison.Ordinal));
        Assert.Contains("Latents: 1 encoded, 3 from the cache.", lines);
        Assert.True(first.bytes.SequenceEqual(again.bytes));
    }

    private string Cache => Path.Combine(runs.Folder, "cache");

    private (Tensor Mean, string Line) Latents(string vaeHash)
    {
        var lines = new List<string>();
        var (mean, _) = new DatasetReader(runs.Dataset, vae.Config.Downscale).Latents(Cache, vaeHash, vae, lines.Add);
        return (mean, lines.Single());
    }

    private void Change(Func<DatasetPicture, DatasetPicture> first) =>
        runs.ChangeManifest(m => m with { Pictures = [first(m.Pictures[0]), .. m.Pictures.Skip(1)] });
}
