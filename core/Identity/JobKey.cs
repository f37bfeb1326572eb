namespace Sdxl.Core.Identity;

/// <summary>
/// A training or a prediction as storage, queues and workers name it: its owner, then its id. The owner stands first in every name, so that
/// no one reaches another's things by an id alone.
/// </summary>
/// <param name="Owner">An owner's word, as in <see cref="ModelName"/>.</param>
/// <param name="Id">26 base32 characters (<see cref="JobId"/>).</param>
public readonly record struct JobKey(string Owner, string Id)
{
    /// <summary>owner/id: the beginning of its blobs' names.</summary>
    public override string ToString() => $"{Owner}/{Id}";
}
