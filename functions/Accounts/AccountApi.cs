using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Functions.Http;

namespace Sdxl.Functions.Accounts;

/// <summary>A kind of machine as Replicate's clients name them.</summary>
public sealed record Hardware(string Sku, string Name)
{
    /// <summary>Replicate's historic names, so that documented commands work, and ours: all mean the workers that are there.</summary>
    public static IReadOnlyList<Hardware> All { get; } =
    [
        new("cpu", "CPU"), new("gpu-t4", "Nvidia T4 GPU"), new("gpu-a40-small", "Nvidia A40 GPU"),
        new("gpu-a40-large", "Nvidia A40 (Large) GPU"), new("worker", "Whatever this deployment's workers have"),
    ];
}

/// <summary>An account as Replicate's clients know it.</summary>
/// <param name="Type">user or organization.</param>
public sealed record AccountView(string Type, string Username, string Name, string? GithubUrl, string? AvatarUrl);

/// <summary>Who the token is, and what hardware may be named.</summary>
public sealed class AccountApi
{
    [Function("GetAccount")]
    [Operation("Whose the token is.", Gives = typeof(AccountView))]
    public IActionResult Account(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/account")] HttpRequest request) => Answers.Json(
            new AccountView("user", request.Owner(), request.Owner(), null, null));

    /// <summary>A bare list, as Replicate answers; its command line tries a token with it.</summary>
    [Function("ListHardware")]
    [Operation("Words that may stand as hardware.", Gives = typeof(IReadOnlyList<Hardware>))]
    public IActionResult ListHardware(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/hardware")] HttpRequest request) => Answers.Json(Hardware.All);
}
