using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Functions.Accounts;

namespace Sdxl.Functions.Page;

/// <summary>
/// The web page's addresses, each named: a catch-all would answer a mistyped API address with HTML. Open to anybody: they hold no data,
/// which comes over the API under the caller's own name. <c>GET /</c> is in Http/Home.
/// </summary>
public sealed class Pages(PageAnswers answers)
{
    private const string NoData = "it holds the page, and nothing of anybody's";

    [OpenToAll(NoData)]
    [Function("PageFile")]
    public IActionResult File(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "page/{hash}/{*file}")] HttpRequest request, string hash, string file) =>
        answers.File(request, hash, file);

    [OpenToAll(NoData)]
    [Function("TrainingsPage")]
    public IActionResult Trainings([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "trainings")] HttpRequest request) =>
        answers.Page(request, SitePage.Trainings);

    [OpenToAll(NoData)]
    [Function("TrainingPage")]
    public IActionResult Training(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "trainings/{id}")] HttpRequest request,
        string id
    ) => answers.Page(request, SitePage.Training);

    [OpenToAll(NoData)]
    [Function("CheckPage")]
    public IActionResult Check([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "checks/{id}")] HttpRequest request, string id) =>
        answers.Page(request, SitePage.Start);

    [OpenToAll(NoData)]
    [Function("ModelsPage")]
    public IActionResult Models([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "models")] HttpRequest request) =>
        answers.Page(request, SitePage.Models);

    [OpenToAll(NoData)]
    [Function("ModelPage")]
    public IActionResult Model(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "models/{owner}/{name}")] HttpRequest request,
        string owner,
        string name
    ) => answers.Page(request, SitePage.Model);

    [OpenToAll(NoData)]
    [Function("PlayPage")]
    public IActionResult Play([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "play")] HttpRequest request) =>
        answers.Page(request, SitePage.Play);

    [OpenToAll(NoData)]
    [Function("DrawingPage")]
    public IActionResult Drawing([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "play/{id}")] HttpRequest request, string id) =>
        answers.Page(request, SitePage.Play);

    /// <summary>Where a prediction's urls.web leads.</summary>
    [OpenToAll(NoData)]
    [Function("PredictionPage")]
    public IActionResult Prediction(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "predictions/{id}")] HttpRequest request,
        string id
    ) => answers.Page(request, SitePage.Play);

    [OpenToAll(NoData)]
    [Function("AccountPage")]
    public IActionResult Account([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "account")] HttpRequest request) =>
        answers.Page(request, SitePage.Account);

    [OpenToAll(NoData)]
    [Function("SignInPage")]
    public IActionResult SignIn([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "sign-in")] HttpRequest request) =>
        answers.Page(request, SitePage.SignIn);
}
