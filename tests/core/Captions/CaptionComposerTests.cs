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
    [InlineData("TOK and tok, TOK", "TOK and TOK, TOK")]
    [InlineData("TOK's hat on tok's head", "TOK's hat on TOK's head")]
    [InlineData("公園でTOKの写真", "公園でTOKの写真")]
    [InlineData("ＡTOK", "a photo of TOK, ＡTOK")]
    [InlineData("TOK는 공원에", "TOK는 공원에")]
    [InlineData("on the grass", "a photo of TOK on the grass")]
    [InlineData("a small creature", "a photo of TOK, a small creature")]
    [InlineData("  two\n lines ", "a photo of TOK, two lines")]
    public void A_users_caption_keeps_its_words_and_has_the_trigger(string given, string expected) =>
        Assert.Equal(expected, Subject.FromUser(given));

    [Theory]
    [InlineData("a photo of", "a photo of GIZ")]
    [InlineData("a photo of giz, ", "a photo of GIZ")]
    [InlineData("a photo of [trigger] the dog", "a photo of GIZ the dog")]
    [InlineData("", "GIZ")]
    [InlineData("a GIZ next to giz", "a GIZ next to GIZ")]
    public void A_prefix_has_the_trigger(string given, string expected) => Assert.Equal(expected, new CaptionComposer("GIZ", given).Prefix);

    [Theory]
    [InlineData("tok", "a tok, TOK and tokyo", "a <s0>, <s0> and tokyo")]
    [InlineData("my dog", "My Dog runs", "<s0> runs")]
    [InlineData("tok", "公園でtokの写真", "公園で<s0>の写真")]
    [InlineData("猫助", "猫助の写真", "<s0>の写真")]
    [InlineData("R2-D2", "R2-D20 and r2-d2", "R2-D20 and <s0>")]
    public void A_prompts_trigger_is_found_on_word_borders(string trigger, string prompt, string expected) =>
        Assert.Equal(expected, new TriggerWords(trigger).Replace(prompt, ["<s0>"]));

    [Theory]
    [InlineData("TOK and CAT play", "TOK and CAT play")]
    [InlineData("a cat, CAT, and tok", "a CAT, CAT, and TOK")]
    [InlineData("the CAT alone", "the CAT alone")]
    [InlineData("[trigger] with a cat", "TOK with a CAT")]
    [InlineData("on the grass", "a photo of TOK on the grass")]
    [InlineData("concatenated", "a photo of TOK, concatenated")]
    public void Of_several_words_each_that_a_users_caption_names_stays_and_a_caption_without_any_gets_the_prefix(string given,
        string expected) =>
        Assert.Equal(expected, new CaptionComposer("TOK|CAT", "a photo of TOK").FromUser(given));

    [Theory]
    [InlineData("a photo of", "a photo of TOK")]
    [InlineData("a photo of cat", "a photo of CAT")]
    [InlineData("CAT and TOK, a CAT", "CAT and TOK, a CAT")]
    public void Of_several_words_a_prefix_keeps_those_it_names_or_gets_the_first(string prefix, string expected) =>
        Assert.Equal(expected, new CaptionComposer(" TOK | CAT ", prefix).Prefix);

    [Theory]
    [InlineData("TOK|CAT", "a cat beside TOK and [trigger]", "a <1> beside <0> and <0>")]
    [InlineData("CAT|CAT TOY", "a cat toy for the cat", "a <1> for the <0>")]
    [InlineData("TOK|s0", "tok s0", "<0> <1>")]
    public void Each_of_several_words_is_replaced_by_its_own_vectors(string words, string prompt, string expected) =>
        Assert.Equal(expected, new TriggerWords(words).Replace(prompt, ["<0>", "<1>"]));
}
