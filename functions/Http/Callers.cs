using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Sdxl.Core.Identity;
using Sdxl.Functions.Hosting;

namespace Sdxl.Functions.Http;

/// <summary>Who calls: everything that a request reads or makes belongs to its caller's owner.</summary>
public sealed class Callers(IOptions<SdxlOptions> options)
{
    public string OwnerOf(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return options.Value.Owner;
    }

    /// <summary>The caller's job of that id; null where <paramref name="id"/> is none.</summary>
    public JobKey? JobOf(HttpRequest request, string id) => JobId.IsValid(id) ? new JobKey(OwnerOf(request), id) : null;
}
