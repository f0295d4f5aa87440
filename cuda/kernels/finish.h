// What convolutions on the matrix units have in common besides the products.
#pragma once

#include "device.h"

struct MatrixShape {
    int in, out, height, width;
};

// What becomes of results before they are stored: (sum·factor + bias, rectified) +
// addend, zero where mask isn't positive. Null pointers leave their part out.
template <class T> struct FinishWide {
    const float *factor, *bias;
    const T *addend, *mask;
    bool rectify;

    // For the neighbouring results from element at on, of filters from channel on.
    __device__ void operator()(T *y, const float (&sums)[Wide<T>::count], Int at, int channel) const {
        constexpr int count = Wide<T>::count;
        Wide<T> more, seen, result;
        if (addend) more = load_wide(addend + at);
        if (mask) seen = load_wide(mask + at);
        const float scale = factor ? *factor : 1.f;
        for (int i = 0; i < count; i++) {
            float v = sums[i] * scale;
            if (bias) v += bias[channel + i];
            if (rectify && v < 0) v = 0;
            if (addend) v += to_float(more.at[i]);
            if (mask && !(to_float(seen.at[i]) > 0)) v = 0;
            result.at[i] = from_float<T>(v);
        }
        store_wide(y + at, result);
    }
};
