// WebP through libwebp: still pictures into RGB or RGBA, animations frame by frame into RGBA.
#include "common.h"
#include <webp/decode.h>
#include <webp/demux.h>
#include <webp/encode.h>

SDX_API int sdx_webp_info(const uint8_t* data, size_t size, int* width, int* height, int* alpha, int* animated, char* error)
{
    WebPBitstreamFeatures features;
    const VP8StatusCode status = WebPGetFeatures(data, size, &features);
    if (status != VP8_STATUS_OK) {
        snprintf(error, SDX_ERROR_BYTES, "libwebp status %d in the header", status);
        return SDX_BAD;
    }
    *width = features.width;
    *height = features.height;
    *alpha = features.has_alpha;
    *animated = features.has_animation;
    return SDX_OK;
}

SDX_API int sdx_webp_decode(const uint8_t* data, size_t size, int channels, uint8_t* out, int64_t stride, int width, int height, char* error)
{
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return sdx_fail(error, "libwebp has another version than its header");
    config.output.colorspace = channels == 4 ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = out;
    config.output.u.RGBA.stride = static_cast<int>(stride);
    config.output.u.RGBA.size = static_cast<size_t>(stride) * height;
    (void)width;
    const VP8StatusCode status = WebPDecode(data, size, &config);
    if (status != VP8_STATUS_OK) {
        snprintf(error, SDX_ERROR_BYTES, "libwebp status %d in the pixel data", status);
        return SDX_BAD;
    }
    return SDX_OK;
}

// An animation is opened once and read forward; frames are whole canvases, disposal and blending applied.
SDX_API void* sdx_webp_open(const uint8_t* data, size_t size, int* frames, char* error)
{
    WebPAnimDecoderOptions options;
    WebPAnimDecoderOptionsInit(&options);
    options.color_mode = MODE_RGBA;
    WebPData source{data, size};
    WebPAnimDecoder* decoder = WebPAnimDecoderNew(&source, &options);
    WebPAnimInfo info;
    if (!decoder || !WebPAnimDecoderGetInfo(decoder, &info)) {
        sdx_fail(error, "libwebp cannot read the animation");
        WebPAnimDecoderDelete(decoder);
        return nullptr;
    }
    *frames = static_cast<int>(info.frame_count);
    return decoder;
}

SDX_API int sdx_webp_next(void* decoder, uint8_t* out, int64_t bytes, char* error)
{
    uint8_t* canvas = nullptr;
    int timestamp = 0;
    if (!WebPAnimDecoderGetNext(static_cast<WebPAnimDecoder*>(decoder), &canvas, &timestamp))
        return sdx_fail(error, "libwebp cannot read the next frame");
    memcpy(out, canvas, bytes);
    return SDX_OK;
}

SDX_API void sdx_webp_close(void* decoder) { WebPAnimDecoderDelete(static_cast<WebPAnimDecoder*>(decoder)); }

// The result is libwebp's: give it back with sdx_webp_free.
SDX_API int sdx_webp_encode(const uint8_t* pixels, int stride, int width, int height, int channels, float quality, int lossless,
                            uint8_t** out, size_t* out_size, char* error)
{
    *out_size = lossless ? (channels == 4 ? WebPEncodeLosslessRGBA(pixels, width, height, stride, out) : WebPEncodeLosslessRGB(pixels, width, height, stride, out))
                         : (channels == 4 ? WebPEncodeRGBA(pixels, width, height, stride, quality, out) : WebPEncodeRGB(pixels, width, height, stride, quality, out));
    return *out_size ? SDX_OK : sdx_fail(error, "libwebp could not encode the picture");
}

SDX_API void sdx_webp_free(void* memory) { WebPFree(memory); }
