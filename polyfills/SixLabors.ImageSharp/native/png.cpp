// PNG through libpng, simplified by its own transformations to 1, 3 or 4 channels of 8 or 16 bits.
#include "common.h"
#include <csetjmp>
#include <cstdlib>
#include <png.h>

namespace {

struct Source {
    const uint8_t* data;
    size_t left;
};

void on_error(png_structp png, png_const_charp message)
{
    sdx_fail(static_cast<char*>(png_get_error_ptr(png)), message);
    longjmp(png_jmpbuf(png), 1);
}

void on_warning(png_structp, png_const_charp) {}

void read(png_structp png, png_bytep target, size_t count)
{
    auto* source = static_cast<Source*>(png_get_io_ptr(png));
    if (count > source->left)
        png_error(png, "the data ends too early");
    memcpy(target, source->data, count);
    source->data += count;
    source->left -= count;
}

} // namespace

// channels 1, 3 or 4; depth 8 (of 16: rounded) or 16 (little endian). A transparent colour becomes alpha where channels is 4.
SDX_API int sdx_png_decode(const uint8_t* data, size_t size, int channels, int depth, uint8_t* out, int64_t stride, int width, int height, char* error)
{
    Source source{data, size};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, error, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : nullptr;
    png_bytep* volatile rows = nullptr;
    if (!info) {
        png_destroy_read_struct(&png, nullptr, nullptr);
        return sdx_fail(error, "libpng could not be set up");
    }
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_read_struct(&png, &info, nullptr);
        free(rows);
        return SDX_BAD;
    }
    png_set_read_fn(png, &source, read);
    png_set_user_limits(png, 0x7fffffff, 0x7fffffff);       // the caller has already weighed width x height
    png_set_chunk_malloc_max(png, 8 << 20);                 // text and profiles are read elsewhere, with their own limit
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, 0);
    png_set_benign_errors(png, 1);
    png_read_info(png, info);
    if (static_cast<int64_t>(png_get_image_width(png, info)) != width || static_cast<int64_t>(png_get_image_height(png, info)) != height)
        png_error(png, "two headers disagree about the size");
    const int colour = png_get_color_type(png, info);
    const int file_depth = png_get_bit_depth(png, info);
    if (channels == 4)
        png_set_expand(png);
    else {
        if (colour == PNG_COLOR_TYPE_PALETTE)
            png_set_palette_to_rgb(png);
        if (colour == PNG_COLOR_TYPE_GRAY && file_depth < 8)
            png_set_expand_gray_1_2_4_to_8(png);
        png_set_strip_alpha(png);
    }
    if (depth == 16)
        png_set_swap(png);
    else if (file_depth == 16)
        png_set_scale_16(png);          // rounds, as ImageSharp does
    if (channels >= 3 && !(colour & PNG_COLOR_MASK_COLOR))
        png_set_gray_to_rgb(png);
    if (channels == 4)
        png_set_filler(png, depth == 16 ? 0xffff : 0xff, PNG_FILLER_AFTER);
    const int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    const size_t row_bytes = png_get_rowbytes(png, info);
    if (row_bytes != static_cast<size_t>(width) * channels * depth / 8) {
        snprintf(error, SDX_ERROR_BYTES, "a row has %zu bytes, expected %zu", row_bytes, static_cast<size_t>(width) * channels * depth / 8);
        longjmp(png_jmpbuf(png), 1);
    }
    if (passes == 1) {
        for (int y = 0; y < height; y++)
            png_read_row(png, out + y * stride, nullptr);
    } else {
        rows = static_cast<png_bytep*>(malloc(sizeof(png_bytep) * height));
        if (!rows)
            png_error(png, "no memory for the row table");
        for (int y = 0; y < height; y++)
            rows[y] = out + y * stride;
        png_read_image(png, rows);
    }
    // What stands behind the pixels (text, a missing end) does not make the picture unreadable, so png_read_end is not called.
    png_destroy_read_struct(&png, &info, nullptr);
    free(rows);
    return SDX_OK;
}
