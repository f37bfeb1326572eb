using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Functions.Accounts;

namespace Sdxl.Functions.Http;

/// <summary>GET /: what this is, where the API is and where it is described. A browser gets the start page instead.</summary>
public sealed class Home(Addresses addresses, Page.PageAnswers pages)
{
    /// <remarks>
    /// The route is an optional segment of no letters: the Functions host takes an empty route for "the function's name". On Azure the
    /// platform's own welcome page stands before it until AzureWebJobsDisableHomepage is true.
    /// </remarks>
    [Function("Home")]
    [OpenToAll("it says what this is and nothing of anybody's")]
    public IActionResult Get([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "{nothing:maxlength(0)?}")] HttpRequest request) =>
        Page.PageAnswers.WantsHtml(request) ? pages.Page(request, Page.SitePage.Start) : Answers.Json(new
    {
        Name = "Sdxl.Serverless",
        What = "Fine-tunes SDXL on a zip of pictures and draws with the result.",
        Api = new Dictionary<string, string>
        {
            ["everything"] = $"GET {addresses.Of(request, "v1/openapi.json")}",
            ["trainings"] = $"GET, POST {addresses.Of(request, "v1/trainings")} (multipart: file input_images, the inputs as fields)",
            ["checks"] = $"POST {addresses.Of(request, "v1/checks")} (as a training, only the data set and its report)",
            ["predictions"] = $"POST {addresses.Of(request, "v1/predictions")} (JSON: version, input.prompt)",
            ["models"] = $"GET, POST {addresses.Of(request, "v1/models")}",
            ["files"] = $"GET, POST {addresses.Of(request, "v1/files")} (multipart: content)",
            ["workers"] = $"GET {addresses.Of(request, "v1/workers")} (who trains and draws, on what)",
        },
        Clients = $"Replicate's own: base address {addresses.Of(request, "v1")}, and a token (./sdxl up shows one).",
        Docs = "README.md of the repository, section 'Over HTTP'; ./sdxl train --help and ./sdxl draw --help list every input.",
    });
}
