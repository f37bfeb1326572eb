using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace Sdxl.Functions.Page;

/// <summary>
/// The web page's files, embedded in this assembly: one hash over all of them stands in every address, so that a browser never mixes two
/// deployments and may keep each file for ever. <c>styles.css</c> is the vendored style sheets and our own in one, so that a first visit
/// asks once.
/// </summary>
public sealed class PageFiles
{
    /// <summary>Where the hash goes in the HTML.</summary>
    private const string HashMark = "{hash}";

    private const string Root = "page/";
    private static readonly string[] s_styles = ["vendor/pico.min.css", "vendor/uPlot.min.css", "page.css"];

    private readonly Dictionary<string, PageFile> files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> html = new(StringComparer.Ordinal);

    /// <remarks>The smallest form of all files takes half a second to make: begun here, before the first visitor asks.</remarks>
    public PageFiles()
        : this(Embedded(Assembly.GetExecutingAssembly())) =>
        _ = Task.Run(() => files.Values.ToList().ForEach(file => file.For("br")));

    /// <param name="contents">Bytes by name, without the styles that are put together.</param>
    internal PageFiles(Dictionary<string, byte[]> contents)
    {
        Hash = HashOf(contents);
        contents["styles.css"] = [.. s_styles.SelectMany(name => contents[name].Append((byte)'\n'))];
        foreach (var (name, bytes) in contents)
        {
            if (name.EndsWith(".html", StringComparison.Ordinal))
                html[name] = Encoding.UTF8.GetString(bytes).Replace(HashMark, Hash, StringComparison.Ordinal);
            else
                files[name] = new PageFile(
                    TypeOf(name),
                    name.EndsWith(".js", StringComparison.Ordinal) && !name.StartsWith("vendor/", StringComparison.Ordinal)
                        ? WithoutComments(bytes)
                        : bytes
                );
        }
    }

    /// <summary>16 hex digits over names and bytes of all files.</summary>
    public string Hash { get; }

    /// <summary>Names of all files that have an address, with '/' between folders.</summary>
    public IEnumerable<string> Names => files.Keys;

    /// <summary>A file by its name; null where there is none.</summary>
    public PageFile? Find(string name) => files.GetValueOrDefault(name);

    /// <summary>A text of the HTML kind with the hash filled in.</summary>
    /// <exception cref="KeyNotFoundException">No such file: a page without its HTML is a mistake in this program.</exception>
    public string Html(string name) => html[name];

    private static Dictionary<string, byte[]> Embedded(Assembly assembly) => assembly.GetManifestResourceNames()
        .Select(name => (Name: name.Replace('\\', '/'), Resource: name))
        .Where(entry => entry.Name.StartsWith(Root, StringComparison.Ordinal))
        .ToDictionary(entry => entry.Name[Root.Length..], entry => Read(assembly, entry.Resource));

    private static byte[] Read(Assembly assembly, string resource)
    {
        using var stream = assembly.GetManifestResourceStream(resource)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static string HashOf(Dictionary<string, byte[]> contents)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, bytes) in contents.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{name}\n{bytes.Length}\n"));
            hash.AppendData(bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    /// <summary>
    /// Our modules without the lines that are comments and nothing else: a twentieth of what a first visit loads. No template holds such a
    /// line.
    /// </summary>
    private static byte[] WithoutComments(byte[] module) =>
        Encoding.UTF8.GetBytes(
            string.Join(
                '\n',
                Encoding
                    .UTF8.GetString(module)
                    .Split('\n')
                    .Where(line => line.TrimStart() is not (['/', '/', ..] or ['/', '*', ..] or ['*', ' ', ..] or ['*', '/', ..]))
            )
        );

    private static string TypeOf(string name) =>
        Path.GetExtension(name) switch
        {
            ".js" => "text/javascript; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".json" => "application/json; charset=utf-8",
            ".svg" => "image/svg+xml",
            ".zip" => "application/zip",
            ".txt" => "text/plain; charset=utf-8",
            var other => throw new NotSupportedException(
                $"functions/Page/site/{name}: no content type is known for '{other}'. Add it to {nameof(TypeOf)}."
            ),
        };
}

/// <summary>A file of the page with its compressed forms, each made when first asked for.</summary>
public sealed class PageFile(string contentType, byte[] bytes)
{
    private readonly Lazy<byte[]> brotli = new(() =>
        Compress(bytes, to => new BrotliStream(to, new BrotliCompressionOptions { Quality = 11 }))
    );
    private readonly Lazy<byte[]> gzip = new(() => Compress(bytes, to => new GZipStream(to, CompressionLevel.SmallestSize)));

    public string ContentType => contentType;

    public byte[] Bytes => bytes;

    /// <summary>The smallest form that the caller reads.</summary>
    /// <param name="acceptEncoding">The request's header, all values in one.</param>
    /// <returns>The bytes and their content-encoding; null where that is none.</returns>
    public (byte[] Bytes, string? Encoding) For(string acceptEncoding)
    {
        if (contentType is "application/zip")
            return (bytes, null);
        return Reads(acceptEncoding, "br") ? (brotli.Value, "br") : Reads(acceptEncoding, "gzip") ? (gzip.Value, "gzip") : (bytes, null);
    }

    /// <summary>Whether a coding is named and not refused by ";q=0".</summary>
    private static bool Reads(string header, string coding) =>
        header
            .Split(',')
            .Select(part => part.Split(';', StringSplitOptions.TrimEntries))
            .Any(part =>
                part[0].Equals(coding, StringComparison.OrdinalIgnoreCase)
                && !part.Skip(1).Any(p => p.Replace(" ", "") is "q=0" or "q=0.0" or "q=0.00" or "q=0.000")
            );

    private static byte[] Compress(byte[] bytes, Func<Stream, Stream> through)
    {
        var buffer = new MemoryStream();
        using (var stream = through(buffer))
            stream.Write(bytes);
        return buffer.ToArray();
    }
}
