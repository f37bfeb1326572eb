using Sdxl.Core.Events;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;

namespace Sdxl.Core.Records;

/// <summary>
/// The state of record of a job, with what it still owes to queues in the same document: one conditional write carries a state, the event
/// that tells of it and the message that acts on it, so that none of them can be lost.
/// </summary>
public interface IJobRecord<T>
    where T : class, IJobRecord<T>
{
    /// <summary>"trainings" or "predictions": its folder in storage, its list and its addresses.</summary>
    static abstract string Kind { get; }

    JobKey Key { get; }

    JobStatus Status { get; }

    /// <summary>All that happened, oldest first.</summary>
    IReadOnlyList<JobEvent> Events { get; }

    /// <summary>Number of the last event that the queue of events has been told of.</summary>
    int Told { get; }

    /// <summary>Messages not yet sent.</summary>
    IReadOnlyList<OutboxMessage> Outbox { get; }

    /// <summary>The same state with these.</summary>
    T Owing(IReadOnlyList<JobEvent> events, int told, IReadOnlyList<OutboxMessage> outbox);

    /// <summary>Which events a change is, in order: their types, and how many pictures were ready.</summary>
    /// <param name="before">null: the record is made.</param>
    IEnumerable<(string Type, int Pictures)> HappenedSince(T? before);
}

/// <summary>What every record can be asked.</summary>
public static class JobRecords
{
    /// <summary>Something is still to be sent.</summary>
    public static bool OwesSomething<T>(this T record)
        where T : class, IJobRecord<T> => record.Outbox.Count > 0 || record.Told < record.LastEvent();

    /// <summary>Number of the newest event; 0: none.</summary>
    public static int LastEvent<T>(this T record)
        where T : class, IJobRecord<T> => record.Events.Count == 0 ? 0 : record.Events[^1].Number;

    /// <summary>The record with the events added that the change from <paramref name="before"/> is.</summary>
    public static T Remembering<T>(this T after, T? before, DateTimeOffset now)
        where T : class, IJobRecord<T>
    {
        var last = after.LastEvent();
        JobEvent[] happened =
        [
            .. after.HappenedSince(before).Select((what, i) => new JobEvent(last + 1 + i, what.Type, now, what.Pictures)),
        ];
        return happened.Length == 0 ? after : after.Owing([.. after.Events, .. happened], after.Told, after.Outbox);
    }
}
