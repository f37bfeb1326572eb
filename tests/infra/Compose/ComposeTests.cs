using Sdxl.Core.Hosting;
using Sdxl.Tests.Infra.Names;
using YamlDotNet.Core;

namespace Sdxl.Tests.Infra.Compose;

/// <summary>docker-compose.yaml: of the Compose form, safe, and with names that the programs know.</summary>
public sealed class ComposeTests
{
    private static readonly string s_text = File.ReadAllText(Path.Combine(TestPaths.Root, "docker-compose.yaml"));
    private static readonly ComposeFile s_file = ComposeFile.Read(s_text);

    [Fact]
    public void Every_image_is_built_from_a_Dockerfile_that_is_there() => Assert.All(s_file.Services.Values, service =>
        Assert.True(File.Exists(Path.Combine(TestPaths.Root, service.Build!.Context, service.Build.Dockerfile)), service.Build.Dockerfile));

    [Fact]
    public void No_service_is_root_writes_its_root_or_gains_a_right() => Assert.All(s_file.Services, service =>
    {
        Assert.Equal("10001", service.Value.User);
        Assert.True(service.Value.ReadOnly, service.Key);
        Assert.Equal(["ALL"], service.Value.CapDrop);
        Assert.Equal(["no-new-privileges:true"], service.Value.SecurityOpt);
        Assert.Contains("/tmp", service.Value.Tmpfs);
    });

    [Fact]
    public void Every_volume_that_is_named_is_declared_and_the_other_way_round()
    {
        var named = s_file.Services.Values.SelectMany(service => service.Volumes).Select(volume => volume.Split(':')[0])
            .Where(name => char.IsAsciiLetter(name[0])).Distinct();

        Assert.Equal(named.Order(), s_file.Volumes!.Keys.Order());
    }

    [Fact]
    public void The_worker_has_the_card_joins_the_host_once_that_is_there_and_gets_its_time_to_stop()
    {
        var worker = s_file.Services["worker"];
        Assert.Equal("/state", worker.Environment[JoinToken.StateVariable]);
        Assert.Contains("state:/state:ro", worker.Volumes);
        Assert.Equal("service_healthy", worker.DependsOn["host"].Condition);
        Assert.Contains($"/state/{HostFile.Name}", s_file.Services["host"].Healthcheck!.Test);
        Assert.Equal(["gpu"], worker.Deploy!.Resources.Reservations.Devices.Single().Capabilities);
        Assert.Equal("150s", worker.StopGracePeriod);
    }

    [Fact]
    public void Every_setting_is_one_that_the_programs_read()
    {
        var known = CodeFacts.FunctionsOptions.Concat(CodeFacts.WorkerOptions).Select(option => $"Sdxl__{option}")
            .Append(JoinToken.StateVariable).Append("OTEL_EXPORTER_OTLP_ENDPOINT").ToHashSet();

        Assert.All(s_file.Services.Values.SelectMany(service => service.Environment.Keys), name => Assert.Contains(name, known));
    }

    [Theory]
    [InlineData("stop_grace_period: 150s", "stop_graceperiod: 150s")]
    [InlineData("read_only: true", "read_only: perhaps")]
    [InlineData("retries: 60", "retries: 60\n      retries: 61")]
    public void A_misspelt_key_a_wrong_type_and_a_double_key_are_found(string right, string wrong) =>
        Assert.ThrowsAny<YamlException>(() => ComposeFile.Read(s_text.Replace(right, wrong, StringComparison.Ordinal)));
}
