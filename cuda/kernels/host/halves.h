// The types float16 and bfloat16 with conversions that round to nearest even, as
// the hardware's do.
#pragma once

#include "emulation.h"

struct f16 {
    uint16_t bits;
};
struct bf16 {
    uint16_t bits;
};

#ifdef __aarch64__
using Half = __fp16; // there, g++ has _Float16 in C++ from 13 on only
#else
using Half = _Float16;
#endif

inline float to_float(f16 x) {
    Half value;
    std::memcpy(&value, &x, 2);
    return float(value);
}
inline float to_float(bf16 x) { return __uint_as_float(unsigned(x.bits) << 16); }

template <class T> T from_float(float x);
template <> inline f16 from_float<f16>(float x) {
    Half value = Half(x);
    f16 result;
    std::memcpy(&result, &value, 2);
    return result;
}
template <> inline bf16 from_float<bf16>(float x) {
    unsigned bits = __float_as_uint(x);
    if (x != x) return {uint16_t(bits >> 16 | 0x40)};
    return {uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}
