using System.Text.Json.Nodes;
using System.Xml;
using Sdxl.Core.Hosting;
using Sdxl.Core.Settings;
using Sdxl.Local.Hosting;
using Sdxl.Tests.Infra.Names;
using YamlDotNet.Core;

namespace Sdxl.Tests.Infra.Compose;

/// <summary>docker-compose.yaml: of the Compose form, safe, and with names that the programs know.</summary>
public sealed class ComposeTests
{
    private static readonly string s_text = File.ReadAllText(Path.Combine(TestPaths.Root, "docker-compose.yaml"));
    private static readonly ComposeFile s_file = ComposeFile.Read(s_text);
    private static readonly ILookup<bool, KeyValuePair<string, ComposeService>> s_byProfile =
        s_file.Services.ToLookup(service => service.Value.Profiles.Count > 0);

    [Fact]
    public void Every_image_is_built_from_a_Dockerfile_that_is_there() => Assert.All(s_byProfile[false].Select(s => s.Value), service =>
        Assert.True(File.Exists(Path.Combine(TestPaths.Root, service.Build!.Context, service.Build.Dockerfile)), service.Build.Dockerfile));

    [Fact]
    public void No_service_is_root_writes_its_root_or_gains_a_right() => Assert.All(s_byProfile[false], service =>
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
            .Append(JoinToken.StateVariable).Append("OTEL_EXPORTER_OTLP_ENDPOINT").Append(Connections.ServiceBus).ToHashSet();

        Assert.All(
            s_byProfile[false].SelectMany(service => service.Value.Environment.Keys), name => Assert.Contains(name, known));
    }

    [Fact]
    public void The_emulator_comes_by_its_profile_alone_is_open_to_this_machine_alone_and_has_no_password_in_the_file()
    {
        Assert.All(s_byProfile[true], service => Assert.Equal(["emulator"], service.Value.Profiles));
        Assert.Equal(["127.0.0.1:5672:5672"], s_byProfile[true].SelectMany(service => service.Value.Ports));
        Assert.All(s_byProfile[true], service => Assert.Null(service.Value.NetworkMode)); // which would open it to everybody
        Assert.All(
            s_byProfile[true], service => Assert.Equal("${SDXL_EMULATOR_PASSWORD:-}", service.Value.Environment["MSSQL_SA_PASSWORD"]));
        Assert.Contains(s_byProfile[true], service => service.Key == s_file.Services["servicebus"].Environment["SQL_SERVER"]);
        var config = s_file.Services["servicebus"].Volumes.Single().Split(':')[0];
        Assert.True(File.Exists(Path.Combine(TestPaths.Root, config)), config);
    }

    /// <summary>Its limits: a lock of 5 minutes, 10 deliveries, a life of 1 hour, ids remembered for 5 minutes.</summary>
    [Fact]
    public void The_emulators_queues_are_the_products_as_far_as_its_limits_allow()
    {
        var file = Path.Combine(TestPaths.Root, "infra", "compose", "servicebus-emulator.json");
        var names = JsonNode.Parse(File.ReadAllText(file))!["UserConfig"]!["Namespaces"]!.AsArray().Single()!;
        Assert.Equal("sbemulatorns", names["Name"]!.ToString()); // the only name that it takes
        var queues = names["Queues"]!.AsArray().ToDictionary(queue => queue!["Name"]!.ToString(), queue => queue!["Properties"]!);

        Assert.Equal(LocalQueues.All.Select(queue => queue.Name).Order(), queues.Keys.Order());
        foreach (var queue in LocalQueues.All)
        {
            var found = queues[queue.Name];
            Assert.Equal(queue.LockDuration, XmlConvert.ToTimeSpan(found["LockDuration"]!.ToString()));
            Assert.Equal(queue.MaxDeliveryCount, found["MaxDeliveryCount"]!.GetValue<int>());
            Assert.Equal(queue.DuplicateDetectionWindow > TimeSpan.Zero, found["RequiresDuplicateDetection"]!.GetValue<bool>());
            Assert.Equal(queue.DeadLetterOnExpiration, found["DeadLetteringOnMessageExpiration"]!.GetValue<bool>());
            Assert.False(found["RequiresSession"]!.GetValue<bool>());
            Assert.InRange(queue.LockDuration, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5));
            Assert.Equal(TimeSpan.FromHours(1), XmlConvert.ToTimeSpan(found["DefaultMessageTimeToLive"]!.ToString()));
            Assert.Equal(TimeSpan.FromMinutes(5), XmlConvert.ToTimeSpan(found["DuplicateDetectionHistoryTimeWindow"]!.ToString()));
        }
    }

    [Theory]
    [InlineData("stop_grace_period: 150s", "stop_graceperiod: 150s")]
    [InlineData("read_only: true", "read_only: perhaps")]
    [InlineData("retries: 60", "retries: 60\n      retries: 61")]
    public void A_misspelt_key_a_wrong_type_and_a_double_key_are_found(string right, string wrong) =>
        Assert.ThrowsAny<YamlException>(() => ComposeFile.Read(s_text.Replace(right, wrong, StringComparison.Ordinal)));
}
