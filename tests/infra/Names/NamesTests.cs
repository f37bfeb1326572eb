using System.Text.RegularExpressions;
using System.Xml;
using Sdxl.Local.Hosting;

namespace Sdxl.Tests.Infra.Names;

/// <summary>The deployments that are looked at, each predicted once.</summary>
public sealed class Predictions : IAsyncLifetime
{
    internal Deployment InContainerApps { get; private set; } = null!;

    internal Deployment InAks { get; private set; } = null!;

    internal Deployment Elsewhere { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        using var copy = new InfraCopy();
        InContainerApps = await Deployment.PredictAsync(
            copy, "param principalId = '00000000-0000-0000-0000-000000000003'", "param alertEmail = 'operator@example.org'");
        InAks = await Deployment.PredictAsync(copy, "param workerPlace = 'aks'");
        Elsewhere = await Deployment.PredictAsync(
            copy, "param workerPlace = 'elsewhere'", "param durableTaskScheduler = true", "param alertEmail = 'operator@example.org'",
                "param budgetAmount = 100", "param budgetStart = '2026-12-01'");
    }

    public Task DisposeAsync() => Task.CompletedTask;
}

/// <summary>Every name that code and infrastructure share is the same in both, and nothing stands in one alone.</summary>
public sealed class NamesTests(Predictions predictions) : IClassFixture<Predictions>
{
    private readonly Deployment azure = predictions.InContainerApps;

    [Fact]
    public void Every_container_of_the_code_is_made_and_no_other() => Assert.Empty(NameChecks.Containers(azure));

    [Fact]
    public void Every_queue_of_the_code_is_made_and_no_other() => Assert.Empty(NameChecks.Queues(azure));

    [Fact]
    public void The_local_broker_has_the_same_queues_with_the_same_duplicate_detection()
    {
        Assert.Equal(
            LocalQueues.All.Select(q => (q.Name, q.DuplicateDetectionWindow)).Order(),
            azure.Queues.Select(q => (q.Key,
                (bool)q.Value["requiresDuplicateDetection"]!
                ? XmlConvert.ToTimeSpan((string)q.Value["duplicateDetectionHistoryTimeWindow"]!) : TimeSpan.Zero)).Order());
        // What Azure takes: 5 s to 5 min, and no queue that gives up sooner than the local one.
        Assert.All(azure.Queues.Values,
            q => Assert.InRange(XmlConvert.ToTimeSpan((string)q["lockDuration"]!), TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5)));
        Assert.All(LocalQueues.All, q => Assert.True((int)azure.Queues[q.Name]["maxDeliveryCount"]! >= q.MaxDeliveryCount));
    }

    [Fact]
    public void Every_setting_that_the_functions_read_is_set_and_no_other() => Assert.Empty(NameChecks.FunctionsSettings(azure));

    [Fact]
    public void Every_setting_that_the_worker_reads_is_set_in_the_container_apps_job_or_keeps_its_default() =>
        Assert.Empty(
            NameChecks.WorkerSettings(
                "Container Apps",
                azure.WorkerSettings.Keys,
                "Threads",
                "CancelPollSeconds",
                "ReceiveWaitSeconds",
                "ProgressSeconds",
                "ExitAfterOneJob",
                "ModelsContainer"
            )
        );

    [Fact]
    public void Both_programs_hold_the_queue_roles_that_they_use_and_no_other() => Assert.Empty(NameChecks.QueueRoles(azure));

    [Fact]
    public void Every_role_says_why_and_owner_roles_are_only_the_hosts_and_the_scalers()
    {
        const string BlobDataOwner = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b", ServiceBusDataOwner = "090c5cfd-751d-490a-894a-3ce6f1109419";
        Assert.All(azure.Grants, grant => Assert.NotEqual("", grant.Why));

        Assert.Equal([("functions", BlobDataOwner), ("scaler", ServiceBusDataOwner)],
            azure.Grants.Where(g => g.Role is BlobDataOwner or ServiceBusDataOwner).Select(g => (g.To, g.Role)).Order());
        Assert.All(azure.Grants.Where(g => g.Role == ServiceBusDataOwner),
            g => Assert.StartsWith("namespaces/", g.On, StringComparison.Ordinal));
    }

    [Fact]
    public void The_worker_wakes_for_both_queues_that_it_reads()
    {
        var read = CodeFacts.QueueUses.Where(use => use is ("worker", _, "receives")).Select(use => use.Queue).Order();
        Assert.Equal(read, azure.ScaledBy.Order());
    }

    [Fact]
    public void Nothing_but_the_models_share_takes_a_shared_key_and_no_connection_string_holds_one()
    {
        Assert.DoesNotMatch("(?i)SharedAccessKey|AccountKey=", azure.Text);
        Assert.Equal(2, Regex.Count(azure.Text, "listKeys")); // the two mounts of that share: functions and Container Apps
        Assert.Single(Regex.Matches(azure.Text, "\"allowSharedKeyAccess\":true"));
        Assert.Single(Regex.Matches(predictions.InAks.Text, "listKeys")); // the cluster brings its models from the container
    }

    [Fact]
    public void Each_place_of_the_worker_makes_what_it_needs_and_nothing_of_the_others()
    {
        Assert.Contains("Microsoft.App/jobs", azure.Types);
        Assert.DoesNotContain("Microsoft.ContainerService/managedClusters", azure.Types);
        Assert.Contains("Microsoft.ContainerService/managedClusters", predictions.InAks.Types);
        Assert.DoesNotContain("Microsoft.App/jobs", predictions.InAks.Types);
        Assert.DoesNotContain(predictions.Elsewhere.Types,
            type => type.StartsWith("Microsoft.App/", StringComparison.Ordinal)
            || type.StartsWith("Microsoft.Container", StringComparison.Ordinal));
        Assert.Contains("Microsoft.DurableTask/schedulers/taskHubs", predictions.Elsewhere.Types);
        Assert.Contains("Microsoft.Consumption/budgets", predictions.Elsewhere.Types);
        Assert.DoesNotContain("Microsoft.DurableTask/schedulers", azure.Types);
    }

    [Fact]
    public async Task A_second_environment_shares_no_name_with_the_first()
    {
        using var copy = new InfraCopy();
        var second = await Deployment.PredictAsync("second", copy, "param workerPlace = 'elsewhere'");

        Assert.Empty(second.Names.Intersect(predictions.Elsewhere.Names));
    }

    [Fact]
    public async Task A_name_that_is_missing_or_too_many_is_named()
    {
        using var copy = new InfraCopy();
        copy.Plant("infra/modules/storage.bicep", "'records', 'predictions', 'files'", "'recrods', 'predictions', 'files'")
            .Plant("infra/modules/service-bus.bicep", "{ name: 'predictions', properties: jobs }",
                "{ name: 'prediction', properties: jobs }")
            .Plant("infra/modules/functions.bicep", "Sdxl__Owner: owner", "Sdxl__Ovner: owner")
            .Plant("infra/modules/worker-container-apps.bicep", "'Sdxl__ScratchFolder'", "'Sdxl__Scratch'")
            .Plant("infra/modules/access.bicep", "{ queue: 'worker-events', to: workerName, role: 'serviceBusDataSender'",
                "{ queue: 'worker-events', to: workerName, role: 'serviceBusDataOwner'");
        var planted = await Deployment.PredictAsync(copy);

        Assert.Equal(
            ["container 'records' is used by the code and missing in infra/", "container 'recrods' stands in infra/ and no code uses it"],
                NameChecks.Containers(planted));
        Assert.Contains("queue 'predictions' is used by the code and missing in infra/", NameChecks.Queues(planted));
        Assert.Contains("setting of the functions 'Sdxl__Owner' is used by the code and missing in infra/",
            NameChecks.FunctionsSettings(planted));
        Assert.Contains("setting of the worker (here) 'Sdxl__Scratch' stands in infra/ and no code uses it",
            NameChecks.WorkerSettings("here", planted.WorkerSettings.Keys));
        Assert.Contains("role 'worker sends worker-events' is used by the code and missing in infra/", NameChecks.QueueRoles(planted));
    }
}
