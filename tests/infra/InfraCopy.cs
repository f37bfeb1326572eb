namespace Sdxl.Tests.Infra;

/// <summary>A copy of what is deployed, to plant an error in, or to give other parameters: a check that finds nothing in it would find
/// nothing anywhere.</summary>
public sealed class InfraCopy : IDisposable
{
    public InfraCopy()
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(TestPaths.Root, "infra"), "*", SearchOption.AllDirectories))
            Copy(Path.GetRelativePath(TestPaths.Root, file));
        foreach (var file in new[] { "azure.yaml", "docker-compose.yaml", "gpu-worker/Dockerfile", "functions/Dockerfile",
            "local/Dockerfile", ".dockerignore" })
            Copy(file);

        void Copy(string path)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
            File.Copy(Path.Combine(TestPaths.Root, path), At(path));
        }
    }

    public string Root { get; } = Directory.CreateTempSubdirectory("sdxl-infra-").FullName;

    public string At(string path) => Path.Combine(Root, path);

    public string Read(string path) => File.ReadAllText(At(path));

    /// <summary>Replaces what must be there once.</summary>
    public InfraCopy Plant(string path, string old, string mistake)
    {
        Assert.Equal(2, Read(path).Split(old).Length);
        File.WriteAllText(At(path), Read(path).Replace(old, mistake, StringComparison.Ordinal));
        return this;
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
