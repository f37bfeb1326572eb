namespace Sdxl.Tests.Page;

/// <summary>One Chromium for all tests of the page: Debian's, which Playwright's own major is made for.</summary>
public sealed class Browser : IAsyncLifetime
{
    private IPlaywright playwright = null!;

    public IBrowser Chromium { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        playwright = await Playwright.CreateAsync();
        Chromium = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Environment.GetEnvironmentVariable("SDXL_CHROMIUM") is { Length: > 0 } path ? path : "/usr/bin/chromium",
            Args = ["--no-sandbox", "--disable-dev-shm-usage"],
        });
    }

    public async Task DisposeAsync()
    {
        await Chromium.CloseAsync();
        playwright.Dispose();
    }
}

/// <summary>The pages' states, which are many: beside the other tests, in a browser of their own.</summary>
[CollectionDefinition(Name)]
public sealed class StatesCollection : ICollectionFixture<Browser>, ICollectionFixture<Site>
{
    public const string Name = "states";
}

[CollectionDefinition(Name)]
public sealed class BrowserCollection : ICollectionFixture<Browser>, ICollectionFixture<Site>
{
    public const string Name = "browser";
}
