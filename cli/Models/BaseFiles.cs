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

    /// <exception cref="CliException">Files that drawing or training needs are not on this machine, with the command that brings them.</exception>
    public static void Require(string baseModel, bool refiner = false, bool safetyChecker = false)
    {
        try
        {
            Load(baseModel).Require(refiner, safetyChecker);
        }
        catch (BaseIncompleteException e)
        {
            throw new CliException(e.Message, e);
        }
    }
}
