namespace Sdxl.Tests.Page;

/// <summary>
/// One canned host and one browser profile for the tests of a collection, which have a page each: the profile keeps the page's files, as a
/// browser does, so that only the first of them loads and compiles these.
/// </summary>
public sealed class Site : IAsyncLifetime
{
    private IBrowserContext? profile;

    public FakeApi Api { get; private set; } = null!;

    public async Task InitializeAsync() => Api = await FakeApi.StartAsync();

    /// <summary>A page of its own, and a host that knows nothing of the tests before.</summary>
    public async Task<Visit> VisitAsync(Browser browser)
    {
        Api.Reset();
        profile ??= await Visit.ProfileAsync(browser, Api.Address);
        return await Visit.StartAsync(profile, Api.Address);
    }

    /// <summary>The profile ends with its browser.</summary>
    public async Task DisposeAsync() => await Api.DisposeAsync();
}
