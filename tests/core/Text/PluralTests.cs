using Sdxl.Core.Text;

namespace Sdxl.Core.Tests.Text;

public sealed class PluralTests
{
    [Theory]
    [InlineData(0, "0 pictures are")]
    [InlineData(1, "1 picture is")]
    [InlineData(2, "2 pictures are")]
    [InlineData(40_960, "40,960 pictures are")]
    public void One_is_singular_and_thousands_are_set_apart(long count, string expected) =>
        Assert.Equal(expected, $"{Plural.Of(count, "picture")} {Plural.Verb(count, "is", "are")}");
}
