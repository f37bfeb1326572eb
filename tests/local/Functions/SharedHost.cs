using Sdxl.Local.Functions;

namespace Sdxl.Local.Tests.Functions;

/// <summary>One host for all tests that leave it as they found it.</summary>
public sealed class SharedHost : IAsyncLifetime
{
    internal TestHost App { get; private set; } = null!;

    public async Task InitializeAsync() => App = await TestHost.StartAsync();

    public async Task DisposeAsync() => await App.DisposeAsync();
}

[CollectionDefinition(nameof(SharedHost))]
public sealed class SharedHostCollection : ICollectionFixture<SharedHost>;
