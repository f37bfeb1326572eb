using Sdxl.Core.Archives;
using Sdxl.Core.Captions;
using Sdxl.Core.Datasets;
using Sdxl.Tests.Core.Archives;

namespace Sdxl.Tests.Core.Captions;

public sealed class ArchiveCaptionsTests
{
    [Fact]
    public void The_caption_file_wins_over_texts_and_the_rest_is_left_to_blip()
    {
        using var archive = ArchiveReader.Open(TestArchives.Zip(
            ("a.png", TestArchives.Png), ("b.png", TestArchives.Png), ("c.png", TestArchives.Png),
            ("a.txt", "from the text"u8.ToArray()), ("b.txt", "from\nthe text"u8.ToArray()),
            ("caption.csv", "caption,image_file\nfrom the file,a.png\nghost,z.png\n"u8.ToArray())), "cats.zip");
        var captions = ArchiveCaptions.Read(archive);
        Assert.Equal(new GivenCaption("from the file", CaptionSource.CaptionFile), captions.ByPicture["a.png"]);
        Assert.Equal(new GivenCaption("from the text", CaptionSource.TextFile), captions.ByPicture["b.png"]);
        Assert.Equal(2, captions.ByPicture.Count);
        Assert.Equal(
            ["Caption file 'caption.csv', line 3: picture 'z.png' is not in the archive; the line is left out.",
                "'a.txt': not used, for the caption file has a caption for that picture.",
                    "No caption is given for 'c.png'; made automatically."],
            captions.Warnings);
    }
}
