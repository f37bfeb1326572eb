namespace Sdxl.Tests.Vision.Faces;

public sealed class YuNetGoldenTests
{
    [Fact]
    public void Raw_outputs_are_those_of_the_reference()
    {
        var tensors = Shared.GoldenTensors("yunet");
        foreach (var testCase in Cases())
        {
            var name = testCase.GetProperty("picture").GetString()!;
            foreach (var (output, found) in Shared.Models.Detector.Run(Shared.Golden(name)))
                Shared.AssertClose($"{name} {output}", tensors.Floats(tensors.NameFor(name, output)), found.Values);
        }
    }

    /// <summary>0.001 of the value, and half a unit of the three decimals that the golden is rounded to.</summary>
    [Fact]
    public void Faces_have_the_references_scores_boxes_and_points()
    {
        foreach (var testCase in Cases())
        {
            var name = testCase.GetProperty("picture").GetString()!;
            var found = Shared.Models.Detector.Detect(Shared.Golden(name));
            var expected = testCase.GetProperty("faces").EnumerateArray().ToArray();
            Assert.Equal(expected.Length, found.Count);
            foreach (var (face, numbers) in found.Zip(expected))
            {
                float[] columns = [face.Score, face.X, face.Y, face.Width, face.Height, .. face.Landmarks];
                Shared.AssertClose(name, [.. numbers.EnumerateArray().Select(number => number.GetSingle())], columns, 1e-3f);
            }
        }
    }

    private static IEnumerable<System.Text.Json.JsonElement> Cases() =>
        Shared.Json(TestPaths.Golden("vision", "yunet.json")).GetProperty("cases").EnumerateArray();
}
