// Poolings of windows of 2×2.
#pragma once

#include "device.h"

// The first of the largest in row-major order, and which it is.
__device__ __forceinline__ float largest_of(const float (&v)[4], int &best) {
    float most = v[0];
    best = 0;
#pragma unroll
    for (int k = 1; k < 4; k++)
        if (v[k] > most) {
            most = v[k];
            best = k;
        }
    return most;
}
