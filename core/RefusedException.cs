namespace Sdxl.Core;

/// <summary>
/// The user's input cannot be used; the message is the sentence that the user reads: what is wrong and what to do. Never retried.
/// Activities throw exactly this type for every refusal, so that an orchestrator tells it from a passing fault by the type's name.
/// </summary>
public sealed class RefusedException(string message, Exception? inner = null) : Exception(message, inner);
