using Sdxl.Core.Trainings;

namespace Sdxl.Core.Tests.Trainings;

public sealed class TrainingMetadataTests
{
    [Theory]
    [InlineData("max_train_steps")]
    [InlineData("Token_String")]
    [InlineData("max_train_stps")]
    [InlineData("maxtrainsteps")]
    [InlineData("resoluton")]
    [InlineData("base")]
    [InlineData("Owner")]
    public void Inputs_and_misspelt_inputs_are_meant(string key) => Assert.True(TrainingMetadata.MayBeMeant(key));

    [Theory]
    [InlineData("reviewed")]
    [InlineData("hdi_isfolder")]
    [InlineData("scan_result")]
    [InlineData("mtime")]
    [InlineData("uploader")]
    [InlineData("user")]
    [InlineData("x")]
    [InlineData("category")]
    [InlineData("sha256")]
    public void Marks_of_others_are_not(string key) => Assert.False(TrainingMetadata.MayBeMeant(key));
}
