// What the four decoders share: results, the error text, and bounds on what a hostile file can make a library allocate.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstring>

#define SDX_API extern "C" __attribute__((visibility("default")))

// Every function returns 0 on success, else SDX_BAD with the library's own words in `error` (always terminated).
enum { SDX_OK = 0, SDX_BAD = 1 };
enum { SDX_ERROR_BYTES = 512 };

static inline int sdx_fail(char* error, const char* text)
{
    snprintf(error, SDX_ERROR_BYTES, "%s", text);
    return SDX_BAD;
}
