// Losses of sums over differences d, and their derivatives by each of these.
#pragma once

#include "device.h"

constexpr double difference_epsilon = 1e-8;

// The derivative by an element with difference d, of which d² counts for square and |d| for
// −magnitude.
__device__ inline double slope_at(double square, double magnitude, double d) {
    return 2 * square * d - (d > 0 ? magnitude : d < 0 ? -magnitude : 0.);
}

// The derivatives of factor·squares/sum, with sum = magnitudes + more, by the sums of d² and
// of |d|; and itself.
struct Slopes {
    double value, square, magnitude;

    __device__ static Slopes of_ratio(double squares, double sum, double factor) {
        return {factor * squares / sum, factor / sum, factor * squares / (sum * sum)};
    }
};
