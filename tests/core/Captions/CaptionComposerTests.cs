using Sdxl.Core.Captions;

namespace Sdxl.Tests.Core.Captions;

public sealed class CaptionComposerTests
{
    private static readonly CaptionComposer Subject = new("TOK", "a photo of TOK");
    private static readonly CaptionComposer Style = new("TOK", "in the style of TOK, ");

    [Theory]
    [InlineData("a purple circle wearing a hat on the grass", "a photo of TOK wearing a hat on the grass")]
    [InlineData("arafed a purple circle on the grass", "a photo of TOK on the grass")]
    [InlineData("there is a cat that is sitting on a couch.", "a photo of TOK sitting on a couch")]
    [InlineData("a close up of a dog in front of a brick wall", "a photo of TOK in front of a brick wall")]
    [InlineData("a picture of a purple circle", "a photo of TOK")]
    [InlineData("", "a photo of TOK")]
    [InlineData("tok in the snow", "a photo of TOK in the snow")]
    public void In_a_generated_caption_the_trigger_takes_the_subjects_place(string generated, string expected) =>
        Assert.Equal(expected, Subject.FromModel(generated));

    [Theory]
    [InlineData("there is a picture of a purple circle on the grass", "in the style of TOK, a purple circle on the grass")]
    [InlineData("a drawing of a tree", "in the style of TOK, a drawing of a tree")]
    public void For_a_style_all_words_stay(string generated, string expected) => Assert.Equal(expected, Style.FromModel(generated));

    [Theory]
    [InlineData("a photo of TOK on the beach", "a photo of TOK on the beach")]
    [InlineData("my tok in tokyo, stoke", "my TOK in tokyo, stoke")]
    [InlineData("[trigger] at night", "TOK at night")]
    [InlineData("a drawing of [Trigger]'s hat", "a drawing of TOK's hat")]
    [InlineData("TOK and tok, TOK", "TOK and")]
    [InlineData("on the grass", "a photo of TOK on the grass")]
    [InlineData("a small creature", "a photo of TOK, a small creature")]
    [InlineData("  two\n lines ", "a photo of TOK, two lines")]
    public void A_users_caption_keeps_its_words_and_has_the_trigger_once(string given, string expected) =>
        Assert.Equal(expected, Subject.FromUser(given));

    [Theory]
    [InlineData("a photo of", "a photo of GIZ")]
    [InlineData("a photo of giz, ", "a photo of GIZ")]
    [InlineData("a photo of [trigger] the dog", "a photo of GIZ the dog")]
    [InlineData("", "GIZ")]
    [InlineData("a GIZ next to GIZ", "a GIZ next to")]
    public void A_prefix_has_the_trigger_once(string given, string expected) => Assert.Equal(expected, new CaptionComposer("GIZ", given).Prefix);

    [Theory]
    [InlineData("tok", "a tok, TOK and tokyo", "a <s0>, <s0> and tokyo")]
    [InlineData("my dog", "My Dog runs", "<s0> runs")]
    [InlineData("R2-D2", "R2-D20 and r2-d2", "R2-D20 and <s0>")]
    public void A_prompts_trigger_is_found_on_word_borders(string trigger, string prompt, string expected) =>
        Assert.Equal(expected, new TriggerWord(trigger).Replace(prompt, "<s0>"));
}
