using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Sdxl.Tests.Infra.Names;
using YamlDotNet.Core;

namespace Sdxl.Tests.Infra.Kubernetes;

/// <summary>Whether rendered objects are ones that a cluster takes, and run the worker as it wants to be run; each mistake is a
/// sentence.</summary>
internal static class KubernetesChecks
{
    private const int ShutdownSeconds = 150; // the worker's own 120 and what is around them

    /// <summary>Each key and type against Kubernetes' and KEDA's own: a misspelt one would be dropped by the server without a
    /// word.</summary>
    public static IReadOnlyList<string> Structure(IEnumerable<JsonObject> objects) => [.. objects.Select(made =>
    {
        var (kind, text) = (made["kind"]!.ToString(), made.ToJsonString());
        try
        {
            _ = (made["apiVersion"]!.ToString(), kind) switch
            {
                ("v1", "Namespace") => (object)KubernetesYaml.Deserialize<V1Namespace>(text, strict: true),
                ("v1", "ServiceAccount") => KubernetesYaml.Deserialize<V1ServiceAccount>(text, strict: true),
                ("v1", "ConfigMap") => KubernetesYaml.Deserialize<V1ConfigMap>(text, strict: true),
                ("v1", "PersistentVolumeClaim") => KubernetesYaml.Deserialize<V1PersistentVolumeClaim>(text, strict: true),
                ("networking.k8s.io/v1", "NetworkPolicy") => KubernetesYaml.Deserialize<V1NetworkPolicy>(text, strict: true),
                ("apps/v1", "Deployment") => KubernetesYaml.Deserialize<V1Deployment>(text, strict: true),
                ("keda.sh/v1alpha1", "ScaledJob") => KubernetesYaml.Deserialize<ScaledJob>(text, strict: true),
                ("keda.sh/v1alpha1", "TriggerAuthentication") => KubernetesYaml.Deserialize<TriggerAuthentication>(text, strict: true),
                var (version, _) => throw new InvalidDataException($"no such kind in {version}"),
            };
            return "";
        }
        catch (Exception e) when (e is YamlException or InvalidDataException)
        {
            return $"{kind} {made["metadata"]!["name"]}: {(e.InnerException ?? e).Message}";
        }
    }).Where(problem => problem.Length > 0)];

    /// <summary>Pod security "restricted" with a read-only root, and time to stop.</summary>
    public static IReadOnlyList<string> Pods(IReadOnlyList<JsonObject> objects)
    {
        var problems = new List<string>();
        foreach (var pod in objects.SelectMany(Kustomization.Pods))
        {
            Require(pod["terminationGracePeriodSeconds"]?.GetValue<int>() >= ShutdownSeconds,
                $"the pod gets less than {ShutdownSeconds} s to stop");
            Require(pod["securityContext"]?["runAsNonRoot"]?.GetValue<bool>() == true, "the pod may run as root");
            Require(pod["securityContext"]?["seccompProfile"]?["type"]?.ToString() == "RuntimeDefault", "the pod has no seccomp profile");
            var container = pod["containers"]!.AsArray().Single()!;
            Require(container["securityContext"]?["readOnlyRootFilesystem"]?.GetValue<bool>() == true, "the root can be written to");
            Require(container["securityContext"]?["allowPrivilegeEscalation"]?.GetValue<bool>() == false, "privileges may be gained");
            Require(container["securityContext"]?["capabilities"]?["drop"]?.AsArray()
                .Any(c => c!.ToString() == "ALL") == true, "capabilities are kept");
            var mounts = container["volumeMounts"]!.AsArray().Select(m => (Name: m!["name"]!.ToString(), Path: m["mountPath"]!.ToString()))
                .ToList();
            Require(mounts.Select(m => m.Path).Order()
                .SequenceEqual(["/models", "/scratch", "/tmp"]), "the worker wants /models, /scratch and /tmp mounted");
            Require(mounts.Select(m => m.Name).Order()
                .SequenceEqual(pod["volumes"]!.AsArray().Select(v => v!["name"]!.ToString()).Order()), "volumes and mounts differ");
        }
        foreach (var job in objects.Where(o => o["kind"]!.ToString() == "ScaledJob").Select(o => o["spec"]!))
        {
            var read = CodeFacts.QueueUses.Where(use => use is ("worker", _, "receives")).Select(use => use.Queue).Order();
            Require(job["triggers"]!.AsArray().Select(t => t!["metadata"]!["queueName"]!.ToString()).Order()
                .SequenceEqual(read), "the triggers are not the queues that the worker reads");
            Require(job["jobTargetRef"]!["backoffLimit"]?.GetValue<int>() == 0,
                "a failed job is tried again, though its message comes again by itself");
            Require(job["rollout"]?["strategy"]?.ToString() == "gradual", "an upgrade ends running trainings");
            Require(job["scalingStrategy"]?["strategy"]?.ToString() == "default", "locked messages are counted twice");
            Require(Kustomization.Pods(objects.Single(o => o["kind"]!.ToString() == "ScaledJob"))
                .Single()["restartPolicy"]?.ToString() == "Never", "a job's pod is started again");
        }
        return problems;

        void Require(bool holds, string problem)
        {
            if (!holds)
                problems.Add(problem);
        }
    }

    /// <summary>Names of the settings that the worker gets, from the ConfigMap and the pod itself.</summary>
    public static IReadOnlyList<string> Settings(IReadOnlyList<JsonObject> objects) =>
    [
        .. objects.Single(o => o["kind"]!.ToString() == "ConfigMap")["data"]!.AsObject().Select(pair => pair.Key),
        .. objects.SelectMany(Kustomization.Pods).SelectMany(pod => pod["containers"]![0]!["env"]?.AsArray() ?? [])
            .Select(variable => variable!["name"]!.ToString()),
    ];
}
