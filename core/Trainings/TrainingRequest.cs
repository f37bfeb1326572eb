using System.Text.Json.Serialization;
using Sdxl.Core.Identity;

namespace Sdxl.Core.Trainings;

/// <summary>What starts a training's orchestration. The same record whichever way the archive came in.</summary>
/// <param name="Id">Training id = orchestration instance id.</param>
/// <param name="Owner">Who will own the published version.</param>
/// <param name="Name">Model name under which it is published.</param>
/// <param name="Base">Base model's manifest name, for example "toy" or "sdxl".</param>
/// <param name="Archive">Blob of the uploaded archive: "container/path".</param>
/// <param name="GivenInputs">JSON object of the inputs as the user gave them (HTTP fields or blob metadata); training.json in the archive
/// fills gaps.</param>
/// <param name="Source">"upload", "http": for the record.</param>
/// <param name="CheckOnly">Prepare the data set and its report, then stop: nothing is trained, and the list of trainings does not show
/// it.</param>
/// <param name="Data">Id of the owner's training or check whose data set is taken in place of an archive; null: <paramref name="Archive"/>
/// is there.</param>
/// <param name="ArchiveMd5">Of the content that is meant, base64: a blob that was overwritten meanwhile is another training's. null:
/// whatever is there.</param>
/// <param name="From">The owner's version that it goes on from, owner/name:id; null: the base model alone.</param>
public sealed record TrainingRequest(string Id, string Owner, string Name, string Base, string Archive, string GivenInputs, string Source,
    bool CheckOnly = false,
    string? ArchiveMd5 = null,
    string? Data = null,
    string? From = null)
{
    [JsonIgnore]
    public JobKey Key => new(Owner, Id);
}
