namespace Sdxl.Local.Durable;

/// <summary>
/// A replayed orchestrator did something else than its history says: its code changed while it ran, or it looked at a clock, a random
/// number or the environment. The orchestration fails with this error.
/// </summary>
public sealed class NonDeterministicOrchestrationException(string message) : Exception(message);
