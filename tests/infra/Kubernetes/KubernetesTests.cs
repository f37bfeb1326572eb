using System.Text.Json.Nodes;
using Sdxl.Tests.Infra.Names;

namespace Sdxl.Tests.Infra.Kubernetes;

public sealed class KubernetesTests
{
    /// <summary>Settings of the overlay itself, which replacements carry elsewhere.</summary>
    private static readonly string[] s_ofTheOverlay = ["SCALER_CLIENT_ID", "SERVICE_BUS"];

    public static TheoryData<string> Overlays =>
        [.. Directory.GetDirectories(Path.Combine(TestPaths.Root, "infra", "kubernetes", "overlays"))
        .Select(folder => Path.GetFileName(folder)!)];

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Every_overlay_makes_objects_that_a_cluster_takes_and_runs_the_worker_as_it_wants(string overlay)
    {
        var objects = Render(TestPaths.Root, overlay);

        Assert.Contains(objects, o => o["kind"]!.ToString() is "ScaledJob" or "Deployment");
        Assert.Empty(KubernetesChecks.Structure(objects));
        Assert.Empty(KubernetesChecks.Pods(objects));
    }

    [Theory]
    [InlineData("aks")]
    [InlineData("a40", "AZURE_CLIENT_ID", "ExitWhenIdleMinutes", "ExitAfterOneJob")] // a worker that stays; its identity is in the secret
    public void Settings_are_those_that_the_worker_reads(string overlay, params string[] otherwise)
    {
        var set = KubernetesChecks.Settings(Render(TestPaths.Root, overlay)).Except(s_ofTheOverlay)
            .Concat(otherwise.Where(name => name == "AZURE_CLIENT_ID"));

        Assert.Empty(
            NameChecks.WorkerSettings(overlay, set, ["Threads", "CancelPollSeconds", "ReceiveWaitSeconds", "ProgressSeconds", .. otherwise])
        );
    }

    [Fact]
    public void The_scaled_and_the_standing_worker_are_the_same_pod()
    {
        var (scaled, standing) = (Pod(Render(TestPaths.Root, "aks/../../scaled")), Pod(Render(TestPaths.Root, "aks/../../standing")));
        scaled.Remove("restartPolicy");
        standing.Remove("restartPolicy");
        scaled["containers"]![0]!.AsObject().Remove("env"); // it leaves by itself

        Assert.True(JsonNode.DeepEquals(scaled, standing), $"{scaled}\n{standing}");
    }

    [Fact]
    public void A_cluster_of_the_template_lets_the_overlays_service_accounts_in()
    {
        var aks = File.ReadAllText(Path.Combine(TestPaths.Root, "infra", "modules", "worker-aks.bicep"));
        var objects = Render(TestPaths.Root, "aks");
        var account = objects.Single(o => o["kind"]!.ToString() == "ServiceAccount")["metadata"]!;

        Assert.Contains($"system:serviceaccount:{account["namespace"]}:{account["name"]}", aks, StringComparison.Ordinal);
        Assert.Equal(account["name"]!.ToString(), Pod(objects)["serviceAccountName"]!.ToString());
        // What the pool's machines carry is what the pod asks for.
        Assert.Contains("'sdxl.serverless/gpu': 'true'", aks, StringComparison.Ordinal);
        Assert.Equal("true", Pod(objects)["nodeSelector"]!["sdxl.serverless/gpu"]!.ToString());
    }

    [Fact]
    public void A_misspelt_field_a_wrong_type_and_an_unsafe_pod_are_found()
    {
        using var copy = new InfraCopy();
        copy.Plant("infra/kubernetes/scaled/scaled-job.yaml", "  maxReplicaCount: 2", "  maxReplicas: 2")
            .Plant("infra/kubernetes/base/network-policy.yaml", "podSelector: {}", "podSelectors: {}")
            .Plant("infra/kubernetes/base/service-account.yaml", "automountServiceAccountToken: false",
                "automountServiceAccountToken: perhaps");
        Assert.Collection(
            KubernetesChecks.Structure(Render(copy.Root, "aks")).Order(),
            problem => Assert.StartsWith("NetworkPolicy nobody-comes-in: ", problem, StringComparison.Ordinal),
            problem => Assert.StartsWith("ScaledJob gpu-worker: ", problem, StringComparison.Ordinal),
            problem => Assert.StartsWith("ServiceAccount gpu-worker: ", problem, StringComparison.Ordinal));

        using var unsafeCopy = new InfraCopy();
        unsafeCopy.Plant("infra/kubernetes/scaled/scaled-job.yaml", "terminationGracePeriodSeconds: 180",
            "terminationGracePeriodSeconds: 30")
            .Plant("infra/kubernetes/scaled/scaled-job.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false")
            .Plant("infra/kubernetes/scaled/scaled-job.yaml", "queueName: trainings", "queueName: training")
            .Plant("infra/kubernetes/scaled/scaled-job.yaml", "strategy: gradual", "strategy: default");
        Assert.Equal(
            ["the pod gets less than 150 s to stop", "the root can be written to", "the triggers are not the queues that the worker reads",
                "an upgrade ends running trainings"],
            KubernetesChecks.Pods(Render(unsafeCopy.Root, "aks")));
    }

    [Fact]
    public void A_patch_that_meets_nothing_is_found()
    {
        using var copy = new InfraCopy();
        copy.Plant("infra/kubernetes/overlays/kind/kustomization.yaml", "path: /spec/resources/requests/storage",
            "path: /spec/resources/requests/storag");

        Assert.Throws<InvalidDataException>(() => Render(copy.Root, "kind"));
    }

    private static List<JsonObject> Render(string root, string overlay) =>
        Kustomization.Render(Path.Combine(root, "infra", "kubernetes", "overlays", overlay));

    private static JsonObject Pod(List<JsonObject> objects) => objects.SelectMany(Kustomization.Pods).Single();
}
