namespace Sdxl.Cli;

/// <summary>A command failed; the message is the one sentence that goes to stderr.</summary>
public sealed class CliException(string message, Exception? inner = null) : Exception(message, inner);
