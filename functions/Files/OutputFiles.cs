using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Functions.Accounts;
using Sdxl.Functions.Http;

namespace Sdxl.Functions.Files;

/// <summary>Serves what <see cref="FileLinks"/> has signed: drawn pictures, weights, thumbnails, samples.</summary>
public sealed class OutputFiles(FileLinks links, BlobAnswers answers)
{
    [Function("GetOutput")]
    [Operation("A file behind a signed link.", Media = "application/octet-stream", Query = "expires,signature")]
    [OpenToAll("the link's signature says that this file, and nothing else, may be read until its end")]
    public async Task<IActionResult> Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "v1/outputs/{*path}")] HttpRequest request, string path,
        CancellationToken cancel)
    {
        if (links.Verify(path, request.Query["expires"], request.Query["signature"]) is not { } good)
            return Answers.Problem(StatusCodes.Status403Forbidden, "Link not valid",
                "The link is too old or not whole. Ask for the training or prediction again: its answer has new links.");
        var slash = good.IndexOf('/');
        return await answers.ServeAsync(request, good[..slash], good[(slash + 1)..], "The file is not in storage any more.", cancel);
    }
}
