// What convolutions on the matrix units have in common besides the products.
#pragma once

#include "device.h"

struct MatrixShape {
    int in, out, height, width;
};

// Of every eight columns of a product, lane t of four has 2t and 2t + 1, whichever instruction
// makes it. So that a lane's results of 32 columns are neighbours, which it can store without
// handing them on, the columns are of the filters in this order: those of lane t are 8t … 8t+7.
constexpr int neighbours = 8;
__host__ __device__ constexpr int filter_of(int column) {
    return column / 32 * 32 + column % 8 / 2 * 8 + column % 32 / 8 * 2 + column % 2;
}

// The element of a matrix of so many columns that lies at i where the matrix is to be multiplied as
// filters are, with rows in the order of filter_of, or else as it is.
__device__ __forceinline__ Int element_at(Int i, Int columns, bool as_filters) {
    return as_filters ? filter_of(int(i / columns)) * columns + i % columns : i;
}

// What becomes of results before they are stored: (sum·factor + bias, rectified) +
// addend, zero where mask isn't positive. Null pointers leave their part out.
template <class T> struct FinishWide {
    const float *factor, *bias;
    const T *addend, *mask;
    bool rectify;

    // What goes with the results of neighbouring filters, and with those at a position:
    // elements of the addend and the mask as they lie, in words.
    struct OfFilters {
        alignas(16) float bias[neighbours];
        float factor;
    };
    struct OfPosition {
        static constexpr int words = neighbours * sizeof(T) / 4;
        alignas(16) unsigned addend[words];
        alignas(16) unsigned mask[words];
    };

    __device__ OfFilters of_filters(int channel) const {
        OfFilters f = {{}, factor ? *factor : 1.f};
        if (bias) load_some(f.bias, bias + channel);
        return f;
    }

    // Of the results from element at on, if they are there.
    __device__ OfPosition of_position(Int at, bool there) const {
        constexpr unsigned positive = 0x3c003c00; // in each type
        OfPosition p;
        for (unsigned &word : p.addend) word = 0;
        for (unsigned &word : p.mask) word = positive;
        if (addend && there) load_some(p.addend, reinterpret_cast<const unsigned *>(addend + at));
        if (mask && there) load_some(p.mask, reinterpret_cast<const unsigned *>(mask + at));
        return p;
    }

    // Announces places of so many channels.
    __device__ void announce(Int at, int channels) const {
        constexpr int line = 128 / sizeof(T);
        for (int i = 0; i < channels; i += line) {
            if (addend) prefetch(addend + at + i);
            if (mask) prefetch(mask + at + i);
        }
    }

    // Makes neighbouring results, in words as they lie in memory.
    __device__ void operator()(unsigned (&to)[OfPosition::words], const float (&sums)[neighbours], const OfFilters &f,
                               const OfPosition &p) const {
        const float least = rectify ? 0.f : -__uint_as_float(0x7f800000); // or −∞
        T results[neighbours];
#pragma unroll
        for (int i = 0; i < neighbours; i++) {
            float v = sums[i] * f.factor + f.bias[i];
            v = v < least ? 0.f : v;
            v += element_of<T>(p.addend, i);
            results[i] = from_float<T>(element_of<T>(p.mask, i) > 0 ? v : 0.f);
        }
        memcpy(to, results, sizeof results);
    }

    // The same of those from element at on, to memory.
    __device__ void operator()(T *y, Int at, const float (&sums)[neighbours], const OfFilters &f,
                               const OfPosition &p) const {
        alignas(16) unsigned results[OfPosition::words];
        operator()(results, sums, f, p);
        store_some(reinterpret_cast<unsigned *>(y + at), results);
    }
};
