using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;

namespace Sdxl.Functions.Http;

/// <summary>GET /: what this is, where the API is and where it is described. For people who open the host's address.</summary>
public sealed class Home(Addresses addresses)
{
    /// <remarks>
    /// The route is an optional segment of no letters: the Functions host takes an empty route for "the function's name". On Azure the platform's own
    /// welcome page stands before it until AzureWebJobsDisableHomepage is true.
    /// </remarks>
    [Function("Home")]
    public IActionResult Get([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "{nothing:maxlength(0)?}")] HttpRequest request) => Answers.Json(new
    {
        Name = "Sdxl.Serverless",
        What = "Fine-tunes SDXL on a zip of pictures and draws with the result.",
        Api = new Dictionary<string, string>
        {
            ["trainings"] = $"GET, POST {addresses.Of(request, "api/trainings")} (multipart: file input_images, the inputs as fields)",
            ["training"] = $"GET {addresses.Of(request, "api/trainings/{id}")}, also /report, /metrics; POST /cancel",
            ["checks"] = $"POST {addresses.Of(request, "api/checks")} (as a training, only the data set and its report)",
            ["predictions"] = $"POST {addresses.Of(request, "v1/predictions")} (JSON: version, input.prompt)",
            ["prediction"] = $"GET {addresses.Of(request, "v1/predictions/{id}")}; POST /cancel",
            ["workers"] = $"GET {addresses.Of(request, "api/workers")} (who trains and draws, on what)",
            ["models"] = $"GET {addresses.Of(request, "api/models/{owner}/{name}")}, files under /versions/{{version}}/{{file}}",
        },
        Docs = "README.md of the repository, section 'Over HTTP'; ./sdxl train --help and ./sdxl draw --help list every input.",
    });
}
