using System.Text.Json.Nodes;
using Sdxl.Core.Archives;
using Sdxl.Core.Bases;
using Sdxl.Core.Identity;
using Sdxl.Core.Inputs;
using Sdxl.Core.Trainings;

namespace Sdxl.Cli.Commands;

/// <summary>Looks at an archive and its inputs before a host is started for them: what is wrong is said at once.</summary>
internal static class ArchiveProblems
{
    /// <param name="baseModel">Null: the host's own, which may be another than the standard one that the inputs are read against
    /// here.</param>
    /// <exception cref="CliException">With every problem found.</exception>
    public static void Refuse(string path, JsonObject given, string? baseModel)
    {
        var problems = new List<string>();
        var (inputs, settings) = (given.DeepClone().AsObject(), ArchiveSettings.None); // the host fills the gaps itself
        try
        {
            using var file = File.OpenRead(path);
            using var archive = ArchiveReader.Open(file, Path.GetFileName(path));
            settings = ArchiveSettings.Read(archive);
            settings.FillGaps(inputs);
        }
        catch (Exception e) when (e is ArchiveRefusedException or InputException)
        {
            problems.Add(e.Message);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CliException($"There is no file '{path}'. Give the path of a zip, tar or tar.gz of pictures.", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new CliException(Directory.Exists(path)
                ? $"'{path}' is a folder. Pack its pictures into a zip and give that."
                : $"'{path}' cannot be read: {e.Message}", e);
        }
        try
        {
            var manifest = BaseManifest.Load(Places.Models, baseModel ?? CommonOptions.StandardBase);
            settings.Locate(() => TrainingInputs.Read(inputs, manifest, JobId.New()));
        }
        catch (InputException e)
        {
            problems.Add(e.Message);
        }
        catch (BaseNotFoundException) when (baseModel is null || Hosting.Remote.Current() is not null)
        {
            // A models folder without it: the host checks the inputs.
        }
        catch (Exception e) when (e is BaseNotFoundException or InvalidDataException)
        {
            problems.Add(e.Message);
        }
        if (problems.Count > 0)
            throw new CliException(string.Join(' ', problems));
    }
}
