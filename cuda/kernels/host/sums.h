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
    float most[width];
    for (int i = 0; i < width; i++) most[i] = std::fabs(to[i]);
    for (int k = 0; k < count; k++)
        for (int i = 0; i < width; i++) {
            const float size = std::fabs(products[k][i]);
            most[i] = size > most[i] ? size : most[i];
        }
    float scale[width], unit[width];
    bool usual = true;
    for (int i = 0; i < width; i++) {
        const unsigned exponent = __float_as_uint(most[i]) >> 23;
        usual &= (exponent >= 27 && exponent < 255) || most[i] == 0;
        // The largest becomes a whole number of 25 bits.
        const unsigned shift = most[i] == 0 ? 127 : exponent;
        scale[i] = __uint_as_float((278 - shift) << 23);
        unit[i] = __uint_as_float((shift - 24) << 23);
    }
    if (!usual) { // far below what rounding shows in, or not finite
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
        unsigned long long bits;
        std::memcpy(&bits, &exact, 8);
        bits &= ~0x1fffffffull; // 24 bits of the mantissa stay
        double cut;
        std::memcpy(&cut, &bits, 8);
        to[i] = float(cut) * unit[i];
    }
}

} // namespace emulation
