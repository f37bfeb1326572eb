using System.Text.Json;
using Sdxl.Core.Captions;
using Sdxl.Vision.Models;
using Sdxl.Pictures;

namespace Sdxl.Vision.Captions;

/// <summary>Describes pictures with BLIP: a vision transformer, then a text decoder that attends to its states. Thread-safe.</summary>
/// <remarks>b beams, l tokens so far, t image tokens, h width, v vocabulary. Source: transformers models/blip/modeling_blip.py,
/// generate.</remarks>
public sealed class BlipCaptioner
{
    private readonly OnnxModel _vision, _decoder;
    private readonly PictureInput _input;
    private readonly WordPieceVocabulary _vocabulary;
    private readonly long _startToken, _endToken;
    private readonly int _maxNewTokens;

    internal BlipCaptioner(string folder, OnnxModel vision, OnnxModel decoder, int maxNewTokens)
    {
        (_vision, _decoder, _maxNewTokens) = (vision, decoder, maxNewTokens);
        _input = PictureInput.Read(Path.Combine(folder, "preprocessor_config.json"), ResizeFilter.Bicubic);
        _vocabulary = WordPieceVocabulary.Load(folder);
        (_startToken, _endToken) = ReadTokens(Path.Combine(folder, "config.json"));
    }

    /// <summary>pixel_values [3, s, s] as the vision model takes them.</summary>
    public float[] Preprocess(PixelGrid picture) => _input.Prepare(picture);

    /// <summary>image_embeds [1, t, h] of pixel_values [3, s, s].</summary>
    public ModelOutput Embed(float[] pixels, CancellationToken cancel = default) =>
        _vision.Run([new ModelInput("pixel_values", pixels, 1, 3, _input.Height, _input.Width)], ["image_embeds"], cancel)[0];

    /// <summary>Captions one picture of any size.</summary>
    /// <param name="beams">1 is greedy.</param>
    public BlipCaption Caption(PixelGrid picture, int beams = 1, CancellationToken cancel = default) =>
        Caption(Preprocess(picture), beams, cancel);

    /// <summary>Captions pixel_values [3, s, s].</summary>
    public BlipCaption Caption(float[] pixels, int beams = 1, CancellationToken cancel = default)
    {
        var embeds = Embed(pixels, cancel);
        var (tokens, width) = (embeds.Shape[1], embeds.Shape[2]);
        var repeated = beams == 1 ? embeds.Values : new float[beams * embeds.Values.Length];     // [b, t, h]
        for (var beam = 0; beam < beams && beams > 1; beam++)
            embeds.Values.CopyTo(repeated.AsSpan(beam * embeds.Values.Length));

        var ids = BeamSearch.Run(_startToken, _endToken, beams, _maxNewTokens, sequences =>
        {
            var length = sequences[0].Length;
            return _decoder.Run(
                [new ModelInput("input_ids", [.. sequences.SelectMany(sequence => sequence)], beams, length),
                 new ModelInput("encoder_hidden_states", repeated, beams, tokens, width)],
                "logits", LastRows, cancel);                                // [b, l, v]: only each beam's last row counts
        });
        var text = _vocabulary.Decode(ids.Skip(1));
        return new BlipCaption(ids, text, GeneratedCaption.Clean(text));
    }

    /// <summary>Of logits [b, l, v] the row of the last token of each beam.</summary>
    private static float[][] LastRows(ReadOnlySpan<float> logits, long[] shape)
    {
        var (length, vocabulary) = ((int)shape[1], (int)shape[2]);
        var rows = new float[shape[0]][];
        for (var beam = 0; beam < rows.Length; beam++)
            rows[beam] = logits.Slice(((beam + 1) * length - 1) * vocabulary, vocabulary).ToArray();
        return rows;
    }

    private static (long Start, long End) ReadTokens(string file)
    {
        if (!File.Exists(file))
            throw new ModelFileMissingException(file);
        using var json = JsonDocument.Parse(File.ReadAllBytes(file));
        if (!json.RootElement.TryGetProperty("text_config", out var text) || !text.TryGetProperty("bos_token_id", out var start))
            throw new InvalidDataException($"{file}: expected text_config.bos_token_id, the token that BLIP's decoder starts from.");
        // BLIP's decoder ends at [SEP]; eos_token_id of the real BLIP-large (2) is a leftover. 102 is BertConfig's own default.
        return (start.GetInt64(), text.TryGetProperty("sep_token_id", out var end) ? end.GetInt64() : 102);
    }
}
