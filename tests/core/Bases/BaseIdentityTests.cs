using Sdxl.Core.Bases;

namespace Sdxl.Core.Tests.Bases;

public sealed class BaseIdentityTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sdxl-base-").FullName;

    private string Model => Path.Combine(_folder, "model");

    private string Cache => Path.Combine(_folder, "hashes.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void One_byte_a_name_or_a_further_file_make_another_base()
    {
        Write("unet/weights.safetensors", "a");
        var first = BaseIdentity.Of(Model, Cache);
        Assert.Equal(first, BaseIdentity.Of(Model, Cache));

        Write("unet/weights.safetensors", "b");
        var second = BaseIdentity.Of(Model, Cache);
        Write("vae/weights.safetensors", "c");
        var third = BaseIdentity.Of(Model, Cache);
        File.Move(Path.Combine(Model, "vae/weights.safetensors"), Path.Combine(Model, "vae/other.safetensors"));

        Assert.Equal(4, new[] { first, second, third, BaseIdentity.Of(Model, Cache) }.Distinct().Count());
        Assert.Equal(BaseIdentity.Of(Model, null), BaseIdentity.Of(Model, Cache));
    }

    [Fact]
    public void A_file_of_the_same_size_and_time_is_not_read_again()
    {
        Write("weights.safetensors", "a");
        var file = Path.Combine(Model, "weights.safetensors");
        var written = File.GetLastWriteTimeUtc(file);
        var first = BaseIdentity.Of(Model, Cache);
        File.WriteAllText(file, "b");
        File.SetLastWriteTimeUtc(file, written); // what nobody does, to see that the file is not read

        Assert.Equal(first, BaseIdentity.Of(Model, Cache));
        File.WriteAllText(Cache, "{ torn");
        Assert.NotEqual(first, BaseIdentity.Of(Model, Cache));
    }

    [Fact]
    public void A_single_file_counts_with_the_configs_beside_it()
    {
        Write("../single.safetensors", "weights");
        Write("../single/config.json", "one");
        var single = Path.Combine(_folder, "single.safetensors");
        var first = BaseIdentity.Of(single, null);
        Write("../single/config.json", "two");
        Assert.NotEqual(first, BaseIdentity.Of(single, null));
    }

    private void Write(string name, string text)
    {
        var file = Path.GetFullPath(Path.Combine(Model, name));
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
