using System.Text.Json;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Models;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Models;

public sealed class LoadingTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("sdxl-models-").FullName;
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();

    public void Dispose()
    {
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("tiny-sdxl")]
    [InlineData("toy-sdxl")]
    public void A_single_file_checkpoint_loads_to_the_same_weights_as_its_folder(string name)
    {
        var source = name == "toy-sdxl" ? Path.Combine(TestPaths.Models, name) : Golden.Folder(name);
        using var model = SdxlModel.Load(source, DiffusionDevice.Cpu);
        var names = SdxlModel.NamesFor(model.UNet.Config, model.Vae.Config);
        var nets = new Dictionary<string, nn.Module> { ["unet"] = model.UNet, ["vae"] = model.Vae, ["text_encoder"] = model.TextEncoder!, ["text_encoder_2"] = model.TextEncoder2 };
        var tensors = new Dictionary<string, Tensor>();
        var thirds = new Dictionary<string, Tensor[]>();
        foreach (var (net, module) in nets)
        {
            foreach (var (key, weight) in module.named_parameters())
            {
                var place = names.Of(net, key);
                if (place.Change is TensorChange.QueryThird or TensorChange.KeyThird or TensorChange.ValueThird)
                {
                    thirds.TryAdd(place.Name, new Tensor[3]);
                    thirds[place.Name][place.Change - TensorChange.QueryThird] = weight;
                }
                else
                    tensors.Add(place.Name, place.Change switch
                    {
                        TensorChange.Transposed => weight.t(),
                        TensorChange.Pointwise => weight.unsqueeze(-1).unsqueeze(-1),
                        _ => weight,
                    });
            }
        }
        foreach (var (key, parts) in thirds)
            tensors.Add(key, cat(parts, 0));
        var path = Path.Combine(folder, "single.safetensors");
        SafetensorsWriter.Write(path, tensors);

        using var again = SdxlModel.LoadSingleFile(path, source, DiffusionDevice.Cpu);
        foreach (var (one, other) in new (nn.Module, nn.Module)[] { (model.UNet, again.UNet), (model.Vae, again.Vae), (model.TextEncoder!, again.TextEncoder!), (model.TextEncoder2, again.TextEncoder2) })
        {
            foreach (var ((key, expected), (_, actual)) in one.named_parameters().Zip(other.named_parameters()))
                Assert.True(expected.equal(actual).all().item<bool>(), key);
        }
    }

    [Fact]
    public void Shards_load_as_one_file_does()
    {
        var source = Path.Combine(Golden.Folder("tiny-sdxl"), "unet");
        using var whole = FolderTensors.Open(source);
        using var file = SafetensorsFile.Open(Directory.GetFiles(source, "*.safetensors").Single());
        var map = new Dictionary<string, string>();
        foreach (var shard in file.Entries.Keys.Select((name, i) => (name, i)).GroupBy(e => e.i % 3))
        {
            var shardName = $"diffusion_pytorch_model-0000{shard.Key + 1}-of-00003.safetensors";
            SafetensorsWriter.Write(Path.Combine(folder, shardName), shard.Select(e => KeyValuePair.Create(e.name, file.Read(e.name))));
            foreach (var (name, _) in shard)
                map[name] = shardName;
        }
        File.WriteAllText(Path.Combine(folder, "diffusion_pytorch_model.safetensors.index.json"), JsonSerializer.Serialize(new { metadata = new { }, weight_map = map }));

        using var shards = FolderTensors.Open(folder);
        Assert.Equal(whole.Shapes.Keys.Order(StringComparer.Ordinal), shards.Shapes.Keys.Order(StringComparer.Ordinal));
        var target = empty(whole.Shapes["conv_in.weight"]);
        shards.CopyTo("conv_in.weight", target);
        Assert.True(target.equal(file.Read("conv_in.weight")).all().item<bool>());

        File.Delete(Path.Combine(folder, "diffusion_pytorch_model-00002-of-00003.safetensors"));
        Assert.Contains("not there", Assert.Throws<SafetensorsException>(() => FolderTensors.Open(folder)).Message);
    }

    [Fact]
    public void Weights_of_another_shape_are_refused_with_five_differences_of_each_kind()
    {
        var path = Path.Combine(folder, "diffusion_pytorch_model.safetensors");
        using var net = Golden.UNet("tiny-sdxl");
        SafetensorsWriter.Write(path, net.named_parameters().Skip(9)
            .Select((p, i) => KeyValuePair.Create(p.name, i < 7 ? ones(3) : p.parameter.detach()))
            .Append(KeyValuePair.Create("stranger.weight", ones(1))));
        using var tensors = FolderTensors.Open(folder);
        var error = Assert.Throws<SafetensorsException>(() => NetLoader.Fill(net, tensors)).Message;
        Assert.Contains("9 tensors are missing", error);
        Assert.Contains("1 are unknown to the net (stranger.weight)", error);
        Assert.Contains("7 have another shape", error);
        Assert.Contains("expected [", error);
    }

    [Fact]
    public void A_folder_with_only_a_pickle_is_refused_by_name()
    {
        File.WriteAllBytes(Path.Combine(folder, "diffusion_pytorch_model.bin"), [1, 2, 3]);
        Assert.Contains("pickle", Assert.Throws<SafetensorsException>(() => FolderTensors.Open(folder)).Message);
    }
}
