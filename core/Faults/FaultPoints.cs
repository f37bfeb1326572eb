using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Sdxl.Core.Faults;

/// <summary>
/// Named places between two lines where a test lets a process die or fail exactly there. They do nothing, at the cost of one comparison,
/// unless the environment variable <see cref="Variable"/> names one: "name:action" or "name:action:file". With a file the fault happens
/// once: the first process that gets there makes the file, later ones (whatever restarts the process gives them the same environment) go
/// on.
/// </summary>
/// <remarks>
/// Actions: kill (as kill -9, no handler runs), stop (SIGSTOP: the process stands still until somebody continues it), cuda (the exception
/// of a GPU whose context is lost), disk (no space left).
/// </remarks>
public static class FaultPoints
{
    public const string Variable = "SDXL_FAULT";

    /// <summary>Every point there is; a setting that names another one is refused, or its test would prove nothing.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        AfterRecordBeforeStart,
        BeforeMessage,
        AfterMessage,
        TrainingStep,
        BetweenCheckpointBlobs,
        AfterUploadBeforeResult,
        AfterResultBeforeEvent,
        AfterEventBeforeComplete,
        MiddleOfPublish,
        AfterPublishBeforeRecord,
        BeforeNextAttemptIsSent,
        AfterNextAttemptIsSent,
    ];

    public const string AfterRecordBeforeStart = "after-record-before-start";
    public const string BeforeMessage = "after-record-before-message";
    public const string AfterMessage = "after-message";
    public const string TrainingStep = "training-step";
    public const string BetweenCheckpointBlobs = "between-checkpoint-blobs";
    public const string AfterUploadBeforeResult = "after-upload-before-result";
    public const string AfterResultBeforeEvent = "after-result-before-event";
    public const string AfterEventBeforeComplete = "after-event-before-complete";
    public const string MiddleOfPublish = "middle-of-publish";
    public const string AfterPublishBeforeRecord = "after-publish-before-record";
    public const string BeforeNextAttemptIsSent = "before-next-attempt";
    public const string AfterNextAttemptIsSent = "after-next-attempt-before-complete";

    private const int NoSpaceLeft = 28; // ENOSPC

    private static readonly Fault? s_fault = Parse(Environment.GetEnvironmentVariable(Variable));

    /// <summary>The process is at this point.</summary>
    public static void Hit(string name)
    {
        if (s_fault is { } fault && fault.Name == name && fault.IsDue())
            Do(fault.Action);
    }

    /// <exception cref="FormatException">Not of the form, or no such point or action.</exception>
    internal static Fault? Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        var parts = text.Split(':', 3);
        if (parts.Length < 2 || !Names.Contains(parts[0]) || parts[1] is not ("kill" or "stop" or "cuda" or "disk"))
        {
            throw new FormatException(
                $"{Variable} is '{text}'; expected name:action or name:action:file with an action of kill, stop, cuda, disk "
                    + $"and a name of {string.Join(", ", Names)}."
            );
        }
        return new Fault(parts[0], parts[1], parts.Length == 3 ? parts[2] : null);
    }

    private static void Do(string action)
    {
        switch (action)
        {
            case "kill":
                Process.GetCurrentProcess().Kill();
                Thread.Sleep(Timeout.Infinite); // the signal ends it; no further line runs
                break;
            case "stop":
                using (
                    var stop = Process.Start(
                        "kill",
                        ["-STOP", Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture)]
                    )
                )
                    stop.WaitForExit();
                break;
            case "cuda":
                throw new ExternalException("CUDA error: an illegal memory access was encountered (injected)");
            case "disk":
                throw new IOException("No space left on device (injected)", NoSpaceLeft);
        }
    }

    /// <param name="Once">A file that marks that it has happened; null: every time.</param>
    internal sealed record Fault(string Name, string Action, string? Once)
    {
        public bool IsDue()
        {
            if (Once is null)
                return true;
            try
            {
                new FileStream(Once, FileMode.CreateNew).Dispose();
                return true;
            }
            catch (IOException)
            {
                return false; // it is there: it has happened
            }
        }
    }
}
