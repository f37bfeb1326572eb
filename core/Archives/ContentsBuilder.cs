using System.Text;
using Sdxl.Core.Datasets;
using Sdxl.Core.Text;

namespace Sdxl.Core.Archives;

/// <summary>Sorts an archive's files into pictures, masks, captions, settings and what is left out.</summary>
internal static class ContentsBuilder
{
    private const string MaskSuffix = "_mask";
    private const int MaxKeyLetters = 48;
    private static readonly string[] PictureExtensions =
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".webp",
        ".gif",
        ".bmp",
        ".tif",
        ".tiff",
    ];
    // Zips within
    private static readonly string[] OfficeExtensions = [".docx", ".pptx", ".xlsx", ".odt", ".odp", ".ods", ".pages", ".key", ".epub"];
    private static readonly string[] RawExtensions = [".nef", ".arw", ".dng", ".orf", ".rw2", ".pef", ".raf", ".cr2", ".cr3"];

    public static ArchiveContents Sort(
        string archive,
        IReadOnlyList<ReadEntry> files,
        out IReadOnlyList<(ArchiveEntry, SourceEntry)> entries
    )
    {
        var sorted = new Sorting();
        var used = files.Where(file => !file.IsRubbish).OrderBy(file => file.Path, StringComparer.Ordinal).ToList();
        var pictures = used.Where(file => ContentSniffer.IsPicture(file.Content) && !IsRaw(file.Path)).ToList();
        var masks = sorted.TakeMasks(pictures);
        pictures.RemoveAll(picture => sorted.IsDecided(picture.Path));
        sorted.TakeTexts(used, pictures);
        sorted.TakeTheRest(used.Except(pictures));
        if (pictures.Count == 0)
            throw NoPictures(archive, files, used);

        var keys = new HashSet<string>(StringComparer.Ordinal);
        var contents = new ArchiveContents(
            [
                .. pictures.Select(picture => new ArchivePicture(
                    UniqueKey(picture.Path, keys),
                    picture.Path,
                    picture.Content,
                    picture.Bytes,
                    masks.GetValueOrDefault(picture.Path),
                    sorted.TextOf.GetValueOrDefault(picture.Path)
                )),
            ],
            sorted.CaptionFiles,
            sorted.Settings,
            [
                .. used.Where(file => sorted.ReasonOf(file.Path) is not null)
                    .Select(file => new SkippedFile(file.Path, $"It {sorted.ReasonOf(file.Path)}.")),
            ],
            sorted.Warnings
        );
        entries =
        [
            .. files.Select(file =>
                (
                    new ArchiveEntry(
                        file.Path,
                        file.Bytes,
                        file.IsRubbish ? ArchiveEntryKind.Rubbish : sorted.KindOf(file.Path),
                        file.Content,
                        file.IsRubbish ? "is rubbish of an operating system or hidden" : sorted.ReasonOf(file.Path)
                    ),
                    file.Source
                )
            ),
        ];
        return contents;
    }

    private static bool IsRaw(string path) => RawExtensions.Contains(EntryPaths.Extension(path));

    private static ArchiveRefusedException NoPictures(string archive, IReadOnlyList<ReadEntry> files, List<ReadEntry> used)
    {
        if (files.Count == 0)
            return new(ArchiveRefusal.Empty, $"Archive '{archive}' is empty: put 5 to 20 pictures of the subject into it.");
        if (used.Count == 0)
            return new(
                ArchiveRefusal.NoPictures,
                $"Archive '{archive}' holds nothing but hidden files of an operating system: put 5 to 20 pictures of the subject into it."
            );
        if (used.All(file => ContentSniffer.IsArchive(file.Content)))
            return new(
                ArchiveRefusal.NestedArchive,
                $"Archive '{archive}' holds only another archive ({EntryPaths.Quote(used[0].Path)}): unpack that one and send it, or its "
                    + "pictures, directly."
            );
        if (used.FirstOrDefault(file => ContentSniffer.IsUnsupportedPicture(file.Content) || IsRaw(file.Path)) is { } unsupported)
        {
            return new(
                ArchiveRefusal.NoPictures,
                $"Archive '{archive}' has no picture that can be read: {EntryPaths.Quote(unsupported.Path)} is "
                    + $"{ContentSniffer.Describe(IsRaw(unsupported.Path) ? ContentKind.CameraRaw : unsupported.Content)}; save the "
                    + "pictures as JPEG or PNG."
            );
        }
        return new(
            ArchiveRefusal.NoPictures,
            $"Archive '{archive}' has no picture inside, only {Plural.Of(used.Count, "other file")} such as "
                + $"{EntryPaths.Quote(used[0].Path)} ({ContentSniffer.Describe(used[0].Content)}): put 5 to 20 pictures (JPEG, PNG, WebP, "
                + "GIF, BMP or TIFF) into it."
        );
    }

    /// <summary>"Photos/Élan 01.JPG" -> "lan-01"; the second of the same name gets "-2".</summary>
    private static string UniqueKey(string path, HashSet<string> taken)
    {
        var letters = new StringBuilder();
        foreach (var letter in EntryPaths.Stem(path).ToLowerInvariant())
        {
            if (char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter))
                letters.Append(letter);
            else if (letters.Length > 0 && letters[^1] != '-')
                letters.Append('-');
        }
        var plain = letters.ToString().Trim('-');
        plain = plain.Length == 0 ? "picture" : plain[..Math.Min(plain.Length, MaxKeyLetters)].TrimEnd('-');
        var key = plain;
        for (var number = 2; !taken.Add(key); number++)
            key = $"{plain}-{number}";
        return key;
    }

    private sealed class Sorting
    {
        private readonly Dictionary<string, (ArchiveEntryKind Kind, string? Reason)> decided = new(StringComparer.Ordinal);

        public Dictionary<string, string> TextOf { get; } = new(StringComparer.Ordinal);

        public List<string> CaptionFiles { get; } = [];

        public string? Settings { get; private set; }

        public List<string> Warnings { get; } = [];

        public bool IsDecided(string path) => decided.ContainsKey(path);

        public ArchiveEntryKind KindOf(string path) => decided.TryGetValue(path, out var found) ? found.Kind : ArchiveEntryKind.Picture;

        public string? ReasonOf(string path) => decided.TryGetValue(path, out var found) ? found.Reason : null;

        /// <summary>Picture's path -> path of the mask beside it (NAME_mask.*, any picture format, any case).</summary>
        public Dictionary<string, string> TakeMasks(List<ReadEntry> pictures)
        {
            var masks = new Dictionary<string, string>(StringComparer.Ordinal);
            var byStem = pictures.ToLookup(picture => StemKey(picture.Path), StringComparer.Ordinal);
            // Short names first: whether cat_mask.png is a mask is settled before cat_mask_mask.png asks.
            foreach (
                var mask in pictures
                    .Where(picture => StemKey(picture.Path).EndsWith(MaskSuffix, StringComparison.Ordinal))
                    .OrderBy(picture => picture.Path.Length)
                    .ThenBy(picture => picture.Path, StringComparer.Ordinal)
            )
            {
                var owners = byStem[StemKey(mask.Path)[..^MaskSuffix.Length]].ToList();
                if (owners.Count == 0)
                    Warnings.Add(
                        $"{EntryPaths.Quote(mask.Path)} is named like a mask, but there is no picture that it could belong to: it is taken "
                            + "for a picture."
                    );
                else if (!owners.Any(owner => KindOf(owner.Path) == ArchiveEntryKind.Picture))
                    Skip(mask.Path, "is the mask of a mask");
                else if (owners.Where(owner => KindOf(owner.Path) == ArchiveEntryKind.Picture).All(owner => masks.ContainsKey(owner.Path)))
                    Skip(
                        mask.Path,
                        $"is a second mask of {EntryPaths.Quote(owners[0].Path)}, which has {EntryPaths.Quote(masks[owners[0].Path])}"
                    );
                else
                {
                    decided[mask.Path] = (ArchiveEntryKind.Mask, null);
                    foreach (var owner in owners)
                        masks.TryAdd(owner.Path, mask.Path);
                }
            }
            return masks;
        }

        /// <summary>Caption files, training.json, and the captions beside single pictures.</summary>
        public void TakeTexts(List<ReadEntry> files, List<ReadEntry> pictures)
        {
            var texts = files.Where(file => !ContentSniffer.IsPicture(file.Content)).ToList();
            foreach (var file in texts.OrderBy(file => file.Path.Count(letter => letter == '/'))
                .ThenBy(file => file.Path, StringComparer.Ordinal))
            {
                var extension = EntryPaths.Extension(file.Path);
                if (EntryPaths.FileName(file.Path).Equals("training.json", StringComparison.OrdinalIgnoreCase))
                    TakeSettings(file.Path);
                else if (CaptionFileNames.IsTable(file.Path))
                {
                    decided[file.Path] = (ArchiveEntryKind.CaptionFile, null);
                    CaptionFiles.Add(file.Path);
                }
                else if (extension is ".csv" or ".tsv" or ".jsonl" or ".ndjson")
                    Skip(file.Path, $"is a table without \"caption\" in its name: call it caption{extension} if it holds the captions");
            }
            // The best kind of caption first, so that it is the others that find the place taken.
            var besides = texts.Where(file => !IsDecided(file.Path) && CaptionFileNames.Preference(file.Path) >= 0)
                .OrderBy(file => CaptionFileNames.Preference(file.Path)).ThenBy(file => file.Path, StringComparer.Ordinal)
                    .Select(file => file.Path).ToList();
            TakeBesides(besides, pictures);
            TakeFromOtherFolders(besides.FindAll(path => !IsDecided(path)), pictures);
            foreach (var path in besides.Where(path => !IsDecided(path) && EntryPaths.Extension(path) != ".json"))
                Skip(path, "is a text with no picture of its name beside it");
        }

        /// <summary>cat.txt, cat.caption and cat.json beside cat.png, and cat.png.txt.</summary>
        private void TakeBesides(List<string> texts, List<ReadEntry> pictures)
        {
            var byStem = pictures.ToLookup(picture => StemKey(picture.Path), picture => picture.Path, StringComparer.Ordinal);
            var byName = pictures.ToLookup(picture => picture.Path.ToLowerInvariant(), picture => picture.Path, StringComparer.Ordinal);
            foreach (var text in texts)
            {
                var owners = byName[StemKey(text).TrimStart('/')].ToList();
                if (owners.Count == 0)
                    owners = [.. byStem[StemKey(text)]];
                if (owners.Count == 0)
                    continue;
                var taken = owners.Where(owner => TextOf.TryAdd(owner, text)).ToList();
                if (taken.Count > 0)
                    decided[text] = (ArchiveEntryKind.CaptionText, null);
                else
                    Skip(text, $"is a second caption of {EntryPaths.Quote(owners[0])}; {EntryPaths.Quote(TextOf[owners[0]])} counts");
            }
        }

        /// <summary>captions/cat.txt for images/cat.png, where each is the only one of its name.</summary>
        private void TakeFromOtherFolders(List<string> texts, List<ReadEntry> pictures)
        {
            static string Name(string path) => EntryPaths.Stem(path).ToLowerInvariant();
            var byName = pictures.ToLookup(picture => Name(picture.Path), picture => picture.Path, StringComparer.Ordinal);
            var taken = new List<string>();
            foreach (var text in texts.GroupBy(Name, StringComparer.Ordinal).Where(same => same.Count() == 1).Select(same => same.Single()))
            {
                if (byName[Name(text)].ToList() is not [var owner] || !TextOf.TryAdd(owner, text))
                    continue;
                decided[text] = (ArchiveEntryKind.CaptionText, null);
                taken.Add($"{EntryPaths.Quote(text)} for {EntryPaths.Quote(owner)}");
            }
            if (taken.Count > 0)
                Warnings.Add(
                    $"{Plural.Of(taken.Count, "caption")} of other folders {Plural.Verb(taken.Count, "is", "are")} taken by name: "
                        + $"{string.Join(", ", taken.Take(3))}{(taken.Count > 3 ? " …" : "")}."
                );
        }

        public void TakeTheRest(IEnumerable<ReadEntry> files)
        {
            foreach (var file in files.Where(file => !IsDecided(file.Path)))
            {
                var extension = EntryPaths.Extension(file.Path);
                Skip(
                    file.Path,
                    file.Content switch
                    {
                        _ when IsRaw(file.Path) => "is a camera's raw picture, which is not read here: save it as JPEG or PNG",
                        ContentKind.Heic =>
                            "is a HEIC picture, which is not read here: save it as JPEG or PNG (iPhones: Settings, Camera, Formats, Most "
                                + "Compatible)",
                        _ when ContentSniffer.IsUnsupportedPicture(file.Content) =>
                            $"is {ContentSniffer.Describe(file.Content)}, which is not read here: save it as JPEG or PNG",
                        ContentKind.Empty => "is empty (0 bytes)",
                        _ when OfficeExtensions.Contains(extension) =>
                            "is a document, which is not read here: save its pictures as JPEG or PNG",
                        ContentKind.Pdf => "is a PDF document, which is not read here: save its pages as JPEG or PNG",
                        ContentKind.Video => "is a video, which is not read here: save single pictures of it as JPEG or PNG",
                        _ when ContentSniffer.IsArchive(file.Content) => "is an archive inside the archive: unpack it first",
                        _ when PictureExtensions.Contains(extension) =>
                            $"is named {extension} but is {ContentSniffer.Describe(file.Content)}",
                        _ => "is no picture",
                    }
                );
            }
        }

        private void TakeSettings(string path)
        {
            if (Settings is null)
            {
                Settings = path;
                decided[path] = (ArchiveEntryKind.Settings, null);
            }
            else
                Skip(path, $"is a second training.json; {EntryPaths.Quote(Settings)} counts");
        }

        private void Skip(string path, string reason) => decided[path] = (ArchiveEntryKind.Other, reason);

        /// <summary>Folder and name without extension, in one case: what makes two files stand "beside" each other.</summary>
        private static string StemKey(string path) => $"{EntryPaths.Folder(path)}/{EntryPaths.Stem(path)}".ToLowerInvariant();
    }
}
