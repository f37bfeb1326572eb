namespace Sdxl.Local.Broker;

/// <summary>How many messages lie in a queue, by state.</summary>
/// <param name="Active">Ready to be received.</param>
/// <param name="Locked">Held by a receiver.</param>
/// <param name="Deferred">Set aside; received only by their number.</param>
/// <param name="Scheduled">Not yet due.</param>
/// <param name="Dead">In the dead-letter queue, held or not.</param>
public readonly record struct QueueCounts(int Active, int Locked, int Deferred, int Scheduled, int Dead);
