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

    public static TheoryData<string> Sources => new(Golden.BaseFolders.Append(Path.Combine(TestPaths.Models, "toy-sdxl")));

    [Theory]
    [MemberData(nameof(Sources))]
    public void A_single_file_checkpoint_loads_to_the_same_weights_as_its_folder(string source)
    {
        using var model = SdxlModel.Load(source, DiffusionDevice.Cpu);
        var path = Path.Combine(folder, "single.safetensors");
        SingleFiles.Write(path, model);

        using var again = SdxlModel.LoadSingleFile(path, source, DiffusionDevice.Cpu);
        AssertSame(model, again);
    }

    [Fact]
    public void A_refiners_single_file_has_its_one_encoder_as_the_first_embedder()
    {
        var source = Golden.RefinerFolders[0];
        using var model = SdxlModel.Load(source, DiffusionDevice.Cpu);
        var path = Path.Combine(folder, "refiner.safetensors");
        SingleFiles.Write(path, model);
        using (var file = SafetensorsFile.Open(path))
            Assert.Contains("conditioner.embedders.0.model.ln_final.weight", file.Entries.Keys);

        using var again = SdxlModel.LoadSingleFile(path, source, DiffusionDevice.Cpu);
        AssertSame(model, again);
    }

    [Theory]
    [InlineData("vae")]
    [InlineData("text_encoder_2")]
    public void A_model_that_lacks_a_net_leaves_nothing_of_the_nets_before_it_in_memory(string lacking)
    {
        var source = Golden.BaseFolder;
        foreach (
            var file in Directory
                .GetFiles(source, "*", SearchOption.AllDirectories)
                .Where(f =>
                    !(f.EndsWith(".safetensors", StringComparison.Ordinal) && Path.GetFileName(Path.GetDirectoryName(f)) == lacking)
                )
        )
        {
            var copy = Path.Combine(folder, "part", Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        var before = TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Assert.Throws<SafetensorsException>(() => SdxlModel.Load(Path.Combine(folder, "part"), DiffusionDevice.Cpu));
        Assert.InRange(TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount - before, long.MinValue, 10); // a net has hundreds
    }

    [Theory]
    [InlineData("model_index.json", "{ \"text_encoder\": []", "not valid JSON")]
    [InlineData("model_index.json", "{ \"text_encoder\": [] }", "'text_encoder' should be a pair of library and class")]
    [InlineData("model_index.json", "{ \"force_zeros_for_empty_prompt\": 1 }", "'force_zeros_for_empty_prompt' should be true or false")]
    [InlineData("unet/config.json", "{ \"block_out_channels\": [\"a\"] }", "'block_out_channels' should be a list of whole numbers")]
    public void A_damaged_config_is_named_with_what_is_wrong_in_it(string file, string text, string expected)
    {
        foreach (var source in Directory.GetFiles(Golden.BaseFolder, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(folder, Path.GetRelativePath(Golden.BaseFolder, source));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(source, copy);
        }
        var damaged = Path.Combine(folder, file);
        File.WriteAllText(damaged, text);
        var e = Assert.Throws<InvalidDataException>(() => SdxlModel.Load(folder, DiffusionDevice.Cpu));
        Assert.Contains(damaged, e.Message, StringComparison.Ordinal);
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config.json", "{}", "lacks 'vision_config'")]
    [InlineData(
        "preprocessor_config.json",
        "{ \"size\": 8, \"crop_size\": 8, \"image_mean\": [1, 2], \"image_std\": [1, 1, 1] }",
        "'image_mean' should be three numbers"
    )]
    [InlineData("preprocessor_config.json", "[", "not valid JSON")]
    public void A_damaged_safety_checker_is_named_with_what_is_wrong_in_it(string file, string text, string expected)
    {
        var checker = Path.GetDirectoryName(
            Directory
                .GetFiles(TestPaths.Goldens, "preprocessor_config.json", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal)
                .First()
        )!;
        foreach (var source in Directory.GetFiles(checker))
            File.Copy(source, Path.Combine(folder, Path.GetFileName(source)));
        File.WriteAllText(Path.Combine(folder, file), text);
        Assert.Contains(
            expected,
            Assert.Throws<InvalidDataException>(() => Sdxl.Diffusion.Safety.SafetyChecker.Load(folder, DiffusionDevice.Cpu)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_single_file_is_a_base_model_where_the_configs_lie_beside_it()
    {
        var source = Golden.BaseFolder;
        using var model = SdxlModel.Load(source, DiffusionDevice.Cpu);
        var path = Path.Combine(folder, "gizmo.safetensors");
        SingleFiles.Write(path, model);
        Assert.Contains(
            "has no configs beside it",
            Assert.Throws<InvalidDataException>(() => SdxlModel.Load(path, DiffusionDevice.Cpu)).Message
        );

        path = SingleFiles.WithConfigs(folder, source);
        using var pipeline = Sdxl.Diffusion.Pipelines.SdxlPipeline.Load(path, null, DiffusionDevice.Cpu);
        AssertSame(model, pipeline.Model);
    }

    private static void AssertSame(SdxlModel expected, SdxlModel actual)
    {
        foreach (var (name, net) in expected.Nets)
        {
            foreach (var ((key, weight), (_, other)) in net.named_parameters().Zip(actual.Nets[name].named_parameters()))
                Assert.True(weight.equal(other).all().item<bool>(), $"{name}.{key}");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_fp16_variant_is_read_only_where_weights_are_held_in_fp16_or_there_is_no_other(bool sharded)
    {
        void Write(string name, Tensor weight, bool half)
        {
            var suffix = half ? ".fp16" : "";
            if (!sharded)
            {
                SafetensorsWriter.Write(Path.Combine(folder, $"model{suffix}.safetensors"), [KeyValuePair.Create(name, weight)]);
                return;
            }
            SafetensorsWriter.Write(Path.Combine(folder, $"model{suffix}-00001-of-00001.safetensors"), [KeyValuePair.Create(name, weight)]);
            File.WriteAllText(
                Path.Combine(folder, $"model.safetensors.index{suffix}.json"),
                JsonSerializer.Serialize(
                    new { weight_map = new Dictionary<string, string> { [name] = $"model{suffix}-00001-of-00001.safetensors" } }
                )
            );
        }
        float Read(ScalarType? held)
        {
            using var tensors = FolderTensors.Open(folder, held);
            var target = empty(1);
            tensors.CopyTo("w", target);
            return target.item<float>();
        }
        var exact = tensor(new[] { 1.0001f });
        Write("w", exact.to_type(ScalarType.Float16), half: true);
        Assert.Equal(1f, Read(ScalarType.Float32)); // all there is
        Write("w", exact, half: false);
        Assert.Equal(
            [1.0001f, 1.0001f, 1.0001f, 1f],
            [Read(null), Read(ScalarType.Float32), Read(ScalarType.BFloat16), Read(ScalarType.Float16)]
        );
    }

    [Fact]
    public void Shards_load_as_one_file_does()
    {
        var source = Path.Combine(Golden.BaseFolder, "unet");
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
        File.WriteAllText(
            Path.Combine(folder, "diffusion_pytorch_model.safetensors.index.json"),
            JsonSerializer.Serialize(new { metadata = new { }, weight_map = map })
        );

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
        using var net = Golden.UNet(Golden.BaseFolder);
        SafetensorsWriter.Write(path, net.named_parameters().Skip(9)
            .Select((p, i) => KeyValuePair.Create(p.name, i < 7 ? ones(3) : p.parameter.detach()))
            .Append(KeyValuePair.Create("stranger.weight", ones(1))));
        using var tensors = FolderTensors.Open(folder);
        var error = Assert.Throws<SafetensorsException>(() => NetLoader.Fill(net, tensors)).Message;
        Assert.Contains("9 tensors are missing", error);
        Assert.Contains("1 is unknown to the net (stranger.weight)", error);
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
