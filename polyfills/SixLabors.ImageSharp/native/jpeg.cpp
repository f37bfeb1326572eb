// JPEG through libjpeg-turbo. No C++ object with a destructor lives across a setjmp.
#include "common.h"
#include <csetjmp>
#include <cstdlib>
#include <jpeglib.h>

namespace {

// A progressive file can ask for any number of passes over the whole picture; honest encoders stay below 20.
constexpr int kMostScans = 500;

struct Handler {
    jpeg_error_mgr base;
    jmp_buf jump;
    char* text;
};

struct Progress {
    jpeg_progress_mgr base;
    Handler* handler;
};

void on_error(j_common_ptr info)
{
    auto* handler = reinterpret_cast<Handler*>(info->err);
    char message[JMSG_LENGTH_MAX];
    info->err->format_message(info, message);
    sdx_fail(handler->text, message);
    longjmp(handler->jump, 1);
}

// Warnings (a file cut off, bytes before a marker) are ignored as ImageSharp ignores them: what could be read is the picture.
void on_message(j_common_ptr, int) {}
void on_output(j_common_ptr) {}

void on_progress(j_common_ptr info)
{
    auto* progress = reinterpret_cast<Progress*>(info->progress);
    if (info->is_decompressor && reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > kMostScans) {
        snprintf(progress->handler->text, SDX_ERROR_BYTES, "more than %d scans in one progressive picture", kMostScans);
        longjmp(progress->handler->jump, 1);
    }
}

} // namespace

// scale: 1, 2, 4 or 8 pixels for each block of 8. channels: 1 grey or 3 RGB; a file of 4 components is turned into RGB here.
SDX_API int sdx_jpeg_decode(const uint8_t* data, size_t size, int scale, int channels, int64_t memory_limit,
                            uint8_t* out, int64_t stride, int width, int height, char* error)
{
    jpeg_decompress_struct info;
    Handler handler;
    Progress progress;
    uint8_t* volatile line = nullptr;
    info.err = jpeg_std_error(&handler.base);
    handler.base.error_exit = on_error;
    handler.base.emit_message = on_message;
    handler.base.output_message = on_output;
    handler.text = error;
    if (setjmp(handler.jump)) {
        jpeg_destroy_decompress(&info);
        free(line);
        return SDX_BAD;
    }
    jpeg_create_decompress(&info);
    memset(&progress, 0, sizeof progress);
    progress.base.progress_monitor = on_progress;
    progress.handler = &handler;
    info.progress = &progress.base;
    info.mem->max_memory_to_use = static_cast<long>(memory_limit);   // coefficients of a progressive picture
    jpeg_mem_src(&info, data, size);
    jpeg_read_header(&info, TRUE);
    const bool inks = info.num_components == 4;
    info.out_color_space = inks ? JCS_CMYK : channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    info.scale_num = scale;
    info.scale_denom = 8;
    jpeg_start_decompress(&info);
    if (static_cast<int>(info.output_width) != width || static_cast<int>(info.output_height) != height) {
        snprintf(error, SDX_ERROR_BYTES, "two frame headers disagree: %d x %d, then %u x %u", width, height, info.output_width, info.output_height);
        longjmp(handler.jump, 1);
    }
    if (inks) {
        line = static_cast<uint8_t*>(malloc(static_cast<size_t>(width) * 4));
        if (!line) {
            sdx_fail(error, "no memory for a line");
            longjmp(handler.jump, 1);
        }
    }
    while (info.output_scanline < info.output_height) {
        uint8_t* target = out + static_cast<int64_t>(info.output_scanline) * stride;
        JSAMPROW row = inks ? line : target;
        if (jpeg_read_scanlines(&info, &row, 1) != 1)
            break;
        // Adobe stores inks inverted (255 = none), as nearly every such file does: colour = ink * black / 255.
        for (int x = 0; inks && x < width; x++) {
            const uint8_t* cmyk = line + 4 * static_cast<size_t>(x);
            for (int c = 0; c < 3; c++)
                target[3 * static_cast<size_t>(x) + c] = static_cast<uint8_t>((cmyk[c] * cmyk[3] + 127) / 255);
        }
    }
    jpeg_finish_decompress(&info);
    jpeg_destroy_decompress(&info);
    free(line);
    return SDX_OK;
}

// sampling: 1 = 4:4:4, 2 = 4:2:0, 3 = 4:2:2. The result is malloc'ed: give it back with sdx_free.
SDX_API int sdx_jpeg_encode(const uint8_t* pixels, int64_t stride, int width, int height, int channels, int quality, int sampling,
                            const uint8_t* exif, int exif_size, const uint8_t* icc, int icc_size,
                            uint8_t** out, size_t* out_size, char* error)
{
    jpeg_compress_struct info;
    Handler handler;
    unsigned char* buffer = nullptr;
    unsigned long size = 0;
    info.err = jpeg_std_error(&handler.base);
    handler.base.error_exit = on_error;
    handler.base.emit_message = on_message;
    handler.base.output_message = on_output;
    handler.text = error;
    *out = nullptr;
    if (setjmp(handler.jump)) {
        jpeg_destroy_compress(&info);
        free(buffer);
        return SDX_BAD;
    }
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &buffer, &size);
    info.image_width = width;
    info.image_height = height;
    info.input_components = channels;
    info.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, quality, TRUE);
    if (channels == 3) {
        info.comp_info[0].h_samp_factor = sampling == 1 ? 1 : 2;
        info.comp_info[0].v_samp_factor = sampling == 2 ? 2 : 1;
    }
    jpeg_start_compress(&info, TRUE);
    if (exif_size > 0)
        jpeg_write_marker(&info, JPEG_APP0 + 1, exif, exif_size);
    if (icc_size > 0)
        jpeg_write_icc_profile(&info, icc, icc_size);
    while (info.next_scanline < info.image_height) {
        JSAMPROW row = const_cast<uint8_t*>(pixels + static_cast<int64_t>(info.next_scanline) * stride);
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    *out = buffer;
    *out_size = size;
    return SDX_OK;
}

SDX_API void sdx_free(void* memory) { free(memory); }
