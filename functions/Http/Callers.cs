using Microsoft.AspNetCore.Http;
using Sdxl.Core.Identity;
using Sdxl.Functions.Accounts;

namespace Sdxl.Functions.Http;

/// <summary>Who calls: everything that a request reads or makes belongs to its token's owner.</summary>
internal static class Callers
{
    /// <exception cref="InvalidOperationException">The function is open to all: nobody is known there.</exception>
    public static string Owner(this HttpRequest request) => request.HttpContext.Features.Get<Caller>()?.Owner
        ?? throw new InvalidOperationException($"{request.Method} {request.Path} came without a token, so it has no owner.");

    /// <summary>The caller's job of that id; null where <paramref name="id"/> is none.</summary>
    public static JobKey? JobOf(this HttpRequest request, string id) => JobId.IsValid(id) ? new JobKey(request.Owner(), id) : null;
}
