using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Http;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Trainings;

/// <summary>The training that a request names by its id.</summary>
internal static class TrainingRequests
{
    /// <returns>null: the caller has no such training.</returns>
    public static async Task<TrainingRecord?> TrainingAsync(
        this RecordStore records, HttpRequest request, string id, CancellationToken cancel) =>
        request.JobOf(id) is { } key ? await records.TrainingAsync(key, cancel) : null;

    /// <summary>The answer where there is none.</summary>
    public static ContentResult NoTraining(string id) => Answers.NotFound($"There is no training '{id}'.");
}
