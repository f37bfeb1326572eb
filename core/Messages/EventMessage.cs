using System.Text.Json.Serialization;
using Sdxl.Core.Identity;

namespace Sdxl.Core.Messages;

/// <summary>
/// Queue <c>events</c>: what is to be told to the world, and what a job is to be reminded of. Names only; the record has the rest.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(EventsHappened), "happened")]
[JsonDerivedType(typeof(LogsGrew), "logs")]
[JsonDerivedType(typeof(PredictionDue), "prediction_due")]
[JsonDerivedType(typeof(TrainingDue), "training_due")]
public abstract record EventMessage(JobKey Job);

/// <summary>The record has events that a receiver has not got yet.</summary>
/// <param name="Kind">"trainings" or "predictions".</param>
/// <param name="Receiver">Only this one, whose turn to be tried again has come; null: every receiver.</param>
public sealed record EventsHappened(JobKey Job, string Kind, string? Receiver = null) : EventMessage(Job);

/// <summary>
/// The log may have new lines that the job's webhook wants to hear of. Missed by nobody: the next one tells the same and more.
/// </summary>
/// <param name="Kind">"trainings" or "predictions".</param>
/// <param name="Seen">Letters of the log that the webhook has been told.</param>
/// <param name="Look">A training's log is looked at again and again while it runs: which look this is. 0: the worker said that there is
/// more.</param>
public sealed record LogsGrew(JobKey Job, string Kind, int Seen = 0, int Look = 0) : EventMessage(Job);

/// <summary>Sent with a prediction for the time by which it must be over.</summary>
public sealed record PredictionDue(JobKey Job) : EventMessage(Job);

/// <summary>Sent with a training or check that came over HTTP for the time by which it must have begun: its POST may have died between the
/// record and the start.</summary>
public sealed record TrainingDue(JobKey Job) : EventMessage(Job);
