// How the matrix units add, as far as it is known from experiments (Fasi, Higham, Mikaitis
// and Pranesh, “Numerical behavior of NVIDIA tensor cores”, 2021): products are exact; they
// and the accumulator are shifted to the largest exponent among them, what then lies below
// the last bit that is kept is cut off, and so is what the sum has more than float32.
// Nothing is rounded to nearest, so errors don't cancel out: sums come out too near to
// zero.
#pragma once

#include "emulation.h"

namespace emulation {

// Sums of count products each to the width accumulators to, products[k][i] to the i-th.
// One bit more than float32's 24 is kept while they are added, as on the A100; later ones
// keep more.
template <int count, int width> void add_products(float (&to)[width], const float (&products)[count][width]) {
    // Of positive numbers the larger has the larger bits, and what is no number has the
    // largest.
    constexpr uint32_t size = 0x7fffffff;
    uint32_t most[width], scale_bits[width], unit_bits[width], unusual = 0;
    std::memcpy(most, to, sizeof most);
    for (int i = 0; i < width; i++) most[i] &= size;
    for (int k = 0; k < count; k++) {
        uint32_t bits[width];
        std::memcpy(bits, products[k], sizeof bits);
        for (int i = 0; i < width; i++) {
            bits[i] &= size;
            most[i] = bits[i] > most[i] ? bits[i] : most[i];
        }
    }
    for (int i = 0; i < width; i++) {
        const uint32_t exponent = most[i] >> 23, nothing = most[i] == 0;
        unusual |= (exponent < 27 || exponent == 255) && !nothing;
        // The largest becomes a whole number of 25 bits.
        const uint32_t shift = nothing ? 127 : exponent;
        scale_bits[i] = (278 - shift) << 23;
        unit_bits[i] = (shift - 24) << 23;
    }
    float scale[width], unit[width];
    std::memcpy(scale, scale_bits, sizeof scale);
    std::memcpy(unit, unit_bits, sizeof unit);
    if (unusual) { // far below what rounding shows in, or not finite
        for (int k = 0; k < count; k++)
            for (int i = 0; i < width; i++) to[i] += products[k][i];
        return;
    }
    int sums[width];
    for (int i = 0; i < width; i++) sums[i] = int(to[i] * scale[i]);
    for (int k = 0; k < count; k++)
        for (int i = 0; i < width; i++) sums[i] += int(products[k][i] * scale[i]);
    for (int i = 0; i < width; i++) {
        const double exact = sums[i];
        unsigned long long mantissa;
        std::memcpy(&mantissa, &exact, 8);
        mantissa &= ~0x1fffffffull; // 24 bits of it stay
        double cut;
        std::memcpy(&cut, &mantissa, 8);
        to[i] = float(cut) * unit[i];
    }
}

} // namespace emulation
