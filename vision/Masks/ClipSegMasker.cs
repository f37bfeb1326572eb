using System.Buffers;
using Sdxl.Core.Text;
using Sdxl.Vision.Models;
using Sdxl.Pictures;

namespace Sdxl.Vision.Masks;

/// <summary>Finds what a text names, with CLIPSeg, each prompt weighed against the empty one. Thread-safe.</summary>
/// <remarks>
/// mask = softmax over (prompt, "") of logits / temperature, the prompt's share, + 0.01, clamped to 0..1, scaled so that its largest value
/// is 255, cut to bytes, resized by bicubic. With several prompts the largest share counts at each pixel: what any of them names is
/// subject. Source: replicate/cog-sdxl preprocess.py, clipseg_mask_generator.
/// </remarks>
public sealed class ClipSegMasker
{
    private const float Bias = 0.01f;       // keeps what no prompt names from vanishing altogether
    private const int TextLength = 77;

    private readonly OnnxModel _model;
    private readonly PictureInput _input;
    private readonly ClipTokenizer _tokenizer;
    private Tokens _lastTokens = new([], [], []);       // the pictures of a data set share their prompts

    internal ClipSegMasker(string folder, OnnxModel model)
    {
        _model = model;
        _input = PictureInput.Read(Path.Combine(folder, "preprocessor_config.json"), ResizeFilter.Bilinear);
        foreach (var name in new[] { "vocab.json", "merges.txt" })
        {
            if (!File.Exists(Path.Combine(folder, name)))
                throw new ModelFileMissingException(Path.Combine(folder, name));
        }
        _tokenizer = ClipTokenizer.Load(folder);
    }

    /// <summary>Splits "a cat | a hat" at "|", without empty parts.</summary>
    public static IReadOnlyList<string> SplitPrompts(string? prompts) =>
        prompts?.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>The mask of the picture, same size, one channel: 255 where a prompt is surest.</summary>
    /// <param name="prompts">At least one.</param>
    /// <param name="temperature">Above 0; 1 as trained, less is sharper.</param>
    public PixelGrid Mask(PixelGrid picture, IReadOnlyList<string> prompts, double temperature = 1, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(prompts.Count, nameof(prompts));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(temperature);
        var logits = Logits(Preprocess(picture), [.. prompts, ""], cancel);
        return PictureResizer.Resize(FromLogits(logits, temperature), picture.Width, picture.Height, ResizeFilter.Bicubic);
    }

    /// <summary>pixel_values [3, s, s] as the model takes them.</summary>
    public float[] Preprocess(PixelGrid picture) => _input.Prepare(picture);

    /// <summary>input_ids and attention_mask [b, 77] of the prompts.</summary>
    public (long[] Ids, long[] AttentionMask) Tokenize(IReadOnlyList<string> prompts)
    {
        var last = Volatile.Read(ref _lastTokens);
        if (!last.Prompts.SequenceEqual(prompts))
            Volatile.Write(ref _lastTokens, last = TokensOf([.. prompts]));
        return (last.Ids, last.AttentionMask);
    }

    /// <summary>logits [b, s, s] of pixel_values [3, s, s] under each prompt.</summary>
    public ModelOutput Logits(float[] pixels, IReadOnlyList<string> prompts, CancellationToken cancel = default)
    {
        var (ids, attention) = Tokenize(prompts);
        var repeated = ArrayPool<float>.Shared.Rent(prompts.Count * pixels.Length);     // megabytes a picture
        try
        {
            for (var row = 0; row < prompts.Count; row++)
                pixels.CopyTo(repeated.AsSpan(row * pixels.Length));
            return _model.Run(
                [new ModelInput("input_ids", ids, prompts.Count, TextLength),
                 new ModelInput("attention_mask", attention, prompts.Count, TextLength),
                 new ModelInput("pixel_values", repeated, prompts.Count, 3, _input.Height, _input.Width)],
                ["logits"], cancel)[0];
        }
        finally
        {
            ArrayPool<float>.Shared.Return(repeated);
        }
    }

    private Tokens TokensOf(string[] prompts)
    {
        var (ids, attention) = (new long[prompts.Length * TextLength], new long[prompts.Length * TextLength]);
        for (var row = 0; row < prompts.Length; row++)
        {
            var encoded = _tokenizer.Encode(prompts[row], TextLength);
            for (var i = 0; i < TextLength; i++)
                ids[row * TextLength + i] = encoded[i];
            var used = Math.Min(_tokenizer.Tokenize(prompts[row]).Length + 2, TextLength);     // + start and end
            attention.AsSpan(row * TextLength, used).Fill(1);
        }
        return new Tokens(prompts, ids, attention);
    }

    /// <summary>The mask at the model's own size; the last of the logits' rows is the empty prompt's.</summary>
    private static PixelGrid FromLogits(ModelOutput logits, double temperature)
    {
        var prompts = (int)logits.Shape[0] - 1;
        var (height, width) = ((int)logits.Shape[1], (int)logits.Shape[2]);
        var plane = width * height;
        var shares = new float[plane];
        var (scale, largest) = ((float)temperature, 0f);
        for (var i = 0; i < plane; i++)
        {
            // The softmax over two is a sigmoid of their difference; the largest share belongs to the largest logit.
            var surest = logits.Values[i];
            for (var prompt = 1; prompt < prompts; prompt++)
                surest = Math.Max(surest, logits.Values[prompt * plane + i]);
            shares[i] = Math.Clamp(1 / (1 + MathF.Exp((logits.Values[prompts * plane + i] - surest) / scale)) + Bias, 0, 1);
            largest = Math.Max(largest, shares[i]);
        }
        var mask = new PixelGrid(width, height, 1);
        for (var i = 0; i < plane; i++)
            mask.Data[i] = (byte)(255 * shares[i] / largest);
        return mask;
    }

    private sealed record Tokens(string[] Prompts, long[] Ids, long[] AttentionMask);
}
