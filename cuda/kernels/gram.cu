// The Gram loss: second moments S (channels × channels) beside those of a target, T. Summary and
// target hold channels means, which do not count, then second moments. Everything by float64;
// package pure's Gram.
//
// gram_partials comes first. gram_comparison makes the derivative by the summary of what it
// leaves, or gram_matrix_… at once what pulls that back to the map, by a product.
#include "finish.h"
#include "slopes.h"

constexpr int gram_threads = 256;

// partials (3 × grid) = the blocks' shares of Σd² and Σ|d|, with d = S − T, and the greatest |d|
// of each. Blocks of 256 threads, any one-dimensional grid.
KERNEL((gram_threads), gram_partials, double *partials, const double *summary, const double *target, Int channels) {
    double squares = 0, magnitudes = 0, greatest = 0;
    for (Int i = channels + first_index(); i < channels + channels * channels; i += index_step()) {
        const double d = summary[i] - target[i];
        squares += d * d;
        magnitudes += fabs(d);
        greatest = max(greatest, fabs(d));
    }
    squares = block_sum<gram_threads>(squares);
    magnitudes = block_sum<gram_threads>(magnitudes);
    greatest = block_greatest<gram_threads>(greatest);
    if (threadIdx.x > 0) return;
    partials[blockIdx.x] = squares;
    partials[gridDim.x + blockIdx.x] = magnitudes;
    partials[2 * gridDim.x + blockIdx.x] = greatest;
}

// The loss with its derivatives, from the partials of so many blocks, and the greatest |d|; to
// all threads of a block of 256.
__device__ inline Slopes gram_slopes(const double *partials, Int parts, const double *target, Int scaled, Int channels,
                                     double &greatest) {
    double squares = 0, magnitudes = 0, diagonal = 0;
    greatest = 0;
    for (Int i = threadIdx.x; i < parts; i += gram_threads) {
        squares += partials[i];
        magnitudes += partials[parts + i];
        greatest = max(greatest, partials[2 * parts + i]);
    }
    for (Int i = threadIdx.x; i < channels; i += gram_threads) diagonal += target[channels + i * channels + i];
    squares = block_sum<gram_threads>(squares);
    magnitudes = block_sum<gram_threads>(magnitudes);
    diagonal = block_sum<gram_threads>(diagonal);
    greatest = block_greatest<gram_threads>(greatest);
    if (!scaled) return {squares, 1, 0};
    return Slopes::of_ratio(squares, magnitudes + difference_epsilon, 1 / (diagonal / channels + difference_epsilon));
}

// *value = the loss, cotangent (like summary) = *grad·its derivative by the summary. partials:
// those of gram_partials by a grid of parts blocks. scaled: 1 for Σd²/Σ|d| divided by the
// target's mean diagonal, 0 for Σd². Blocks of 256 threads, any one-dimensional grid.
KERNEL((gram_threads), gram_comparison, double *value, double *cotangent, const double *summary, const double *target,
       const double *partials, Int parts, const double *grad, Int scaled, Int channels) {
    double greatest;
    const Slopes slopes = gram_slopes(partials, parts, target, scaled, channels, greatest);
    const Int n = channels + channels * channels;
    for (Int i = first_index(); i < n; i += index_step())
        cotangent[i] = i < channels ? 0. : *grad * slope_at(slopes.square, slopes.magnitude, summary[i] - target[i]);
    if (first_index() == 0) *value = slopes.value;
}

// *value = the loss, and what pulls its derivative back to a map of so many positions, as
// moments_cotangent_… readies it of the cotangent D that gram_comparison makes: matrix
// (channels²) = (D+Dᵀ)/s and *factor = s/positions. s is |*grad|·2·(2·square·g − magnitude), g
// being the greatest |d|: no element of D+Dᵀ is larger, and where d is symmetric one is as
// large. For magnitude/square = Σd²/Σ|d| ≤ g, so that |2·square·d − magnitude·sign d| is
// greatest where |d| is. as_filters: 1 for rows of the matrix in the order of filters on Hopper,
// where channels are a multiple of 32. The rest as for gram_comparison.
template <class T, bool rounded>
__device__ void gram_matrix(double *value, T *matrix, float *factor, const double *summary, const double *target,
                            const double *partials, Int parts, const double *grad, Int scaled, Int channels,
                            Int positions, bool as_filters) {
    double greatest;
    const Slopes slopes = gram_slopes(partials, parts, target, scaled, channels, greatest);
    const double most = greatest > 0 ? fabs(*grad) * 2 * (2 * slopes.square * greatest - slopes.magnitude) : 0;
    const double scale = most > 0 ? *grad / most : 0;
    const double *second = summary + channels, *wanted = target + channels;
    auto slope = [&](Int i) { return slope_at(slopes.square, slopes.magnitude, second[i] - wanted[i]); };
    for (Int i = first_index(); i < channels * channels; i += index_step()) {
        const Int at = element_at(i, channels, as_filters);
        float v = float(scale * (slope(at) + slope(at % channels * channels + at / channels)));
        if constexpr (rounded) v = __uint_as_float(round_tf32(__float_as_uint(v)));
        matrix[i] = from_float<T>(v);
    }
    if (first_index() > 0) return;
    *value = slopes.value;
    *factor = float(most / double(positions));
}
#define GRAM_MATRIX(suffix, T, rounded)                                                                                \
    KERNEL((gram_threads), gram_matrix_##suffix, double *value, T *matrix, float *factor, const double *summary,       \
           const double *target, const double *partials, Int parts, const double *grad, Int scaled, Int channels,      \
           Int positions, Int as_filters) {                                                                            \
        gram_matrix<T, rounded>(value, matrix, factor, summary, target, partials, parts, grad, scaled, channels,       \
                                positions, as_filters != 0);                                                           \
    }
GRAM_MATRIX(f32, float, false)
GRAM_MATRIX(tf32, float, true)
GRAM_MATRIX(f16, f16, false)
GRAM_MATRIX(bf16, bf16, false)
#undef GRAM_MATRIX
