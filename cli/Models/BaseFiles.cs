using Sdxl.Core.Bases;

namespace Sdxl.Cli.Models;

/// <summary>Base models on this machine: what is wrong with one is said before a host is started for it.</summary>
internal static class BaseFiles
{
    /// <exception cref="CliException">There is no such base model, or its manifest is damaged.</exception>
    public static BaseManifest Load(string baseModel)
    {
        try
        {
            return BaseManifest.Load(Places.Models, baseModel);
        }
        catch (Exception e) when (e is BaseNotFoundException or InvalidDataException)
        {
            throw new CliException(e.Message, e);
        }
    }

    /// <summary>
    /// The same for a pull, to a folder that may be new: the repository's manifest is put there, because host, worker and container read it
    /// beside the files. One that is there stays.
    /// </summary>
    public static BaseManifest LoadOrPut(string baseModel)
    {
        var target = Path.Combine(Places.Models, baseModel + ".json");
        var ours = Path.Combine(Places.Root, "models");
        if (File.Exists(Path.Combine(ours, baseModel + ".json")) && !File.Exists(target))
        {
            var manifest = BaseManifest.Load(ours, baseModel); // also: the name is one of a manifest, not a path
            Directory.CreateDirectory(Places.Models);
            File.Copy(Path.Combine(ours, manifest.Name + ".json"), target);
        }
        return Load(baseModel);
    }

    /// <exception cref="CliException">Files that drawing or training needs are not on this machine, with the command that brings
    /// them.</exception>
    public static void Require(string baseModel, BaseParts parts)
    {
        try
        {
            Load(baseModel).Require(parts);
        }
        catch (BaseIncompleteException e)
        {
            throw new CliException(e.Message, e);
        }
    }
}
