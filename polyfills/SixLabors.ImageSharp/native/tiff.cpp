// TIFF through libtiff's RGBA reader, from memory. Rows come as stored: an orientation tag is not applied.
#include "common.h"
#include <cstdarg>
#include <tiffio.h>

namespace {

struct Source {
    const uint8_t* data;
    tmsize_t size;
    toff_t at;
};

thread_local char* error_text = nullptr;

void on_error(thandle_t, const char*, const char* format, va_list arguments)
{
    if (error_text)
        vsnprintf(error_text, SDX_ERROR_BYTES, format, arguments);
}

tmsize_t read(thandle_t handle, void* target, tmsize_t count)
{
    auto* source = reinterpret_cast<Source*>(handle);
    if (source->at >= static_cast<toff_t>(source->size))
        return 0;
    const tmsize_t left = source->size - static_cast<tmsize_t>(source->at);
    if (count > left)
        count = left;
    memcpy(target, source->data + source->at, count);
    source->at += count;
    return count;
}

tmsize_t write(thandle_t, void*, tmsize_t) { return 0; }

toff_t seek(thandle_t handle, toff_t offset, int whence)
{
    auto* source = reinterpret_cast<Source*>(handle);
    source->at = whence == SEEK_SET ? offset : whence == SEEK_CUR ? source->at + offset : source->size + offset;
    return source->at;
}

int close(thandle_t) { return 0; }
toff_t length(thandle_t handle) { return reinterpret_cast<Source*>(handle)->size; }

TIFF* open(Source* source, int page, char* error)
{
    static const bool once = [] { TIFFSetWarningHandler(nullptr); TIFFSetErrorHandler(nullptr); TIFFSetErrorHandlerExt(on_error); return true; }();
    (void)once;
    error[0] = 0;
    error_text = error;
    TIFF* tiff = TIFFClientOpen("picture", "rm", source, read, write, seek, close, length, nullptr, nullptr);
    if (tiff && page > 0 && !TIFFSetDirectory(tiff, static_cast<tdir_t>(page))) {
        TIFFClose(tiff);
        tiff = nullptr;
    }
    if (!tiff && !error[0])
        sdx_fail(error, "libtiff cannot open the picture");
    return tiff;
}

int finish(TIFF* tiff, int result, char* error)
{
    if (tiff)
        TIFFClose(tiff);
    error_text = nullptr;
    if (result != SDX_OK && !error[0])
        sdx_fail(error, "libtiff cannot read the picture");
    return result;
}

} // namespace

SDX_API int sdx_tiff_info(const uint8_t* data, size_t size, int page, int* width, int* height, int* bits, int* more, char* error)
{
    Source source{data, static_cast<tmsize_t>(size), 0};
    TIFF* tiff = open(&source, page, error);
    uint32_t w = 0, h = 0;
    uint16_t samples = 1, depth = 1;
    if (!tiff || !TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &w) || !TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &h))
        return finish(tiff, SDX_BAD, error);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &depth);
    if (w == 0 || h == 0 || w > 0x7fffffff || h > 0x7fffffff) {
        snprintf(error, SDX_ERROR_BYTES, "size %u x %u", w, h);
        return finish(tiff, SDX_BAD, error);
    }
    *width = static_cast<int>(w);
    *height = static_cast<int>(h);
    *bits = samples * depth;
    *more = !TIFFLastDirectory(tiff);
    return finish(tiff, SDX_OK, error);
}

// out: width x height RGBA, 8 bits, alpha not multiplied in.
SDX_API int sdx_tiff_decode(const uint8_t* data, size_t size, int page, uint8_t* out, int width, int height, char* error)
{
    Source source{data, static_cast<tmsize_t>(size), 0};
    TIFF* tiff = open(&source, page, error);
    uint32_t w = 0, h = 0;
    uint16_t orientation = ORIENTATION_TOPLEFT, extra = 0;
    uint16_t* kinds = nullptr;
    if (!tiff || !TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &w) || !TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &h))
        return finish(tiff, SDX_BAD, error);
    if (static_cast<int64_t>(w) != width || static_cast<int64_t>(h) != height)
        return finish(tiff, sdx_fail(error, "the size changed between header and pixels"), error);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &orientation);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &extra, &kinds);
    if (!TIFFReadRGBAImageOriented(tiff, w, h, reinterpret_cast<uint32_t*>(out), orientation, 1))
        return finish(tiff, SDX_BAD, error);
    // libtiff multiplies alpha in; undo it.
    for (int64_t i = 0; extra > 0 && i < static_cast<int64_t>(w) * h; i++) {
        uint8_t* p = out + 4 * i;
        for (int c = 0; c < 3 && p[3] != 0 && p[3] != 255; c++) {
            const int value = (p[c] * 255 + p[3] / 2) / p[3];
            p[c] = static_cast<uint8_t>(value > 255 ? 255 : value);
        }
    }
    return finish(tiff, SDX_OK, error);
}
