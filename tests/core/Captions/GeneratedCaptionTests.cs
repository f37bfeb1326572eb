using Sdxl.Core.Captions;

namespace Sdxl.Tests.Core.Captions;

/// <summary>Captions as BLIP-large writes them, and what a person would leave of them.</summary>
public sealed class GeneratedCaptionTests
{
    [Theory]
    [InlineData("arafed dog sitting on a couch", "dog sitting on a couch")]
    [InlineData("there is a arafed dog sitting on a couch", "a dog sitting on a couch")]
    [InlineData("there is an arafed old man with a hat", "an old man with a hat")]
    [InlineData("there are two arafed men standing in a kitchen", "two men standing in a kitchen")]
    [InlineData("a woman holding a araffe orange umbrella", "a woman holding an orange umbrella")]
    [InlineData("arafed image of a man with a beard", "a man with a beard")]
    [InlineData("a picture of a arafed cat", "a cat")]
    [InlineData("araffes men in suits", "men in suits")]
    public void Arafed_goes_wherever_it_stands(string written, string expected) => Assert.Equal(expected, GeneratedCaption.Clean(written));

    [Theory]
    [InlineData("there is a araffe standing in the grass", "a giraffe standing in the grass")]
    [InlineData("araffes and zebras in a field", "giraffes and zebras in a field")]
    [InlineData("a baby araffe", "a baby giraffe")]
    [InlineData("there is a araffe that is eating leaves", "a giraffe eating leaves")]
    public void An_araffe_that_no_noun_follows_is_a_giraffe(string written, string expected) =>
        Assert.Equal(expected, GeneratedCaption.Clean(written));

    [Theory]
    [InlineData("there is a close up of a cat that is sitting on a sofa.", "a cat sitting on a sofa")]
    [InlineData("a picture of a picture of a cat", "a cat")]
    [InlineData("a photography of a man on a bridge", "a man on a bridge")]
    [InlineData("a close up photo of a flower", "a flower")]
    [InlineData("a close-up shot of the dog's nose", "the dog's nose")]
    [InlineData("this is a picture taken of a red car", "a red car")]
    [InlineData("in this image there are two people standing on a beach", "two people standing on a beach")]
    [InlineData("in the picture we can see a house", "a house")]
    [InlineData("the image shows a woman in a blue dress", "a woman in a blue dress")]
    [InlineData("a stock photo of a laptop", "a laptop")]
    [InlineData("There is a dog", "a dog")]
    [InlineData("a dog dog dog dog on a lawn", "a dog on a lawn")]
    public void Words_about_the_picture_itself_go_from_the_beginning(string written, string expected) =>
        Assert.Equal(expected, GeneratedCaption.Clean(written));

    [Theory]
    [InlineData("a man standing in front of a picture of a cat")]
    [InlineData("a drawing of a house on a white background")]
    [InlineData("a black and white photo of a woman")]
    [InlineData("a painting of a picture frame")]
    [InlineData("a picture frame on a wall")]
    [InlineData("a photo album with pictures of people")]
    [InlineData("a view from a window")]
    [InlineData("a car that is red")]
    [InlineData("a cat that is black and white")]
    [InlineData("a tuk tuk in a street")]
    [InlineData("an x - ray of a hand")]
    [InlineData("a person taking a picture of a giraffe")]
    [InlineData("people looking at images of the moon")]
    [InlineData("a shot glass on a bar")]
    [InlineData("close friends sitting on a bench")]
    public void What_means_something_stays(string written) => Assert.Equal(written, GeneratedCaption.Clean(written));

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    public void Nothing_stays_nothing(string written) => Assert.Equal("", GeneratedCaption.Clean(written));

    [Fact]
    public void Cleaning_twice_changes_nothing_more()
    {
        foreach (
            var written in new[]
            {
                "there is a arafed picture of a close up of a araffe dog that is sitting",
                "a photo of a photo of a photo",
            }
        )
            Assert.Equal(GeneratedCaption.Clean(written), GeneratedCaption.Clean(GeneratedCaption.Clean(written)));
    }
}
