// Feature maps element by element, poolings, selections of positions, and losses that
// compare a map or a picture with its neighbours or with a target.
#include "pools.h"
#include "slopes.h"

constexpr int map_threads = 256;

// What a kernel takes element by element; where there is none, a value stands for each.
template <class T> struct Operand {
    const T *from;
    float otherwise;

    __device__ bool wide() const { return !from || starts_wide(from); }

    template <int width> __device__ void load(float (&to)[width], Int at) const {
        for (float &v : to) v = otherwise;
        if (!from) return;
        alignas(16) T elements[width];
        load_some(elements, from + at);
        for (int i = 0; i < width; i++) to[i] = to_float(elements[i]);
    }
};
template <class T> __device__ Operand<T> operand(const T *from, float otherwise = 0) { return {from, otherwise}; }

// y[at] and width−1 behind = make(an array of the operands' elements there).
template <int width, class T, class Make, class... U>
__device__ void make_some(T *y, Int at, Make make, const Operand<U> &...operands) {
    float in[sizeof...(U)][width];
    int count = 0;
    (operands.load(in[count++], at), ...);
    alignas(16) T out[width];
#pragma unroll
    for (int i = 0; i < width; i++) {
        float elements[sizeof...(U)];
        for (int k = 0; k < int(sizeof...(U)); k++) elements[k] = in[k][i];
        out[i] = from_float<T>(make(elements));
    }
    store_some(y + at, out);
}

// The same of n elements by all threads of a grid, of 16 bytes at a time if all that lie in
// memory lie on so many.
template <class T, class Make, class... U>
__device__ void make_each(T *y, Int n, Make make, const Operand<U> &...operands) {
    constexpr int width = Wide<T>::count;
    const Int wide = starts_wide(y) && (operands.wide() && ...) ? n / width : 0;
    for (Int i = first_index(); i < wide; i += index_step()) make_some<width>(y, i * width, make, operands...);
    for (Int i = wide * width + first_index(); i < n; i += index_step()) make_some<1>(y, i, make, operands...);
}

// Elementwise kernels, for blocks of 256 threads and any one-dimensional grid. n is
// the number of elements. y and dx may be any of the operands. They are quickest where
// pointers are aligned to 16 bytes.
//
//	rectify            y = max(x, 0); what isn't a number stays
//	rectify_gradient   dx = dy where y > 0, else 0
//	add                y = a + b
//	add_masked         y = a + b where mask > 0, else 0; b may be null
#define ELEMENTWISE(suffix, T)                                                                                         \
    KERNEL((map_threads), rectify_##suffix, T *y, const T *x, Int n) {                                                 \
        make_each(y, n, [](const float *v) { return v[0] < 0 ? 0.f : v[0]; }, operand(x));                             \
    }                                                                                                                  \
    KERNEL((map_threads), rectify_gradient_##suffix, T *dx, const T *dy, const T *y, Int n) {                          \
        make_each(dx, n, [](const float *v) { return v[1] > 0 ? v[0] : 0.f; }, operand(dy), operand(y));               \
    }                                                                                                                  \
    KERNEL((map_threads), add_##suffix, T *y, const T *a, const T *b, Int n) {                                         \
        make_each(y, n, [](const float *v) { return v[0] + v[1]; }, operand(a), operand(b));                           \
    }                                                                                                                  \
    KERNEL((map_threads), add_masked_##suffix, T *y, const T *a, const T *b, const T *mask, Int n) {                   \
        make_each(                                                                                                     \
            y, n, [](const float *v) { return v[2] > 0 ? v[0] + v[1] : 0.f; }, operand(a), operand(b), operand(mask)); \
    }
ELEMENTWISE(f32, float)
ELEMENTWISE(f16, f16)
ELEMENTWISE(bf16, bf16)
#undef ELEMENTWISE

// Poolings of windows of 2×2 by steps of 2; an odd last row or column is dropped.
enum class Pooling { largest, mean, norm };

__device__ inline float norm_of(const float (&v)[4]) {
    // Squares of float32 neither overflow nor vanish in float64.
    double sum = 0;
    for (float x : v) sum += double(x) * double(x);
    return float(sqrt(sum));
}

// One thread makes width neighbouring channels of a window.
template <Pooling mode, int width, class T>
__device__ void pool(T *y, const T *x, float scale, Int channels, Int rows, Int columns) {
    // 32 bits, in which divisions are quick, hold the number of groups.
    const unsigned groups = unsigned(channels / width), across = unsigned(columns / 2);
    const unsigned count = unsigned(rows / 2) * across * groups;
    for (unsigned i = unsigned(first_index()); i < count; i += unsigned(index_step())) {
        const unsigned place_number = i / groups;
        const Int channel = Int(i - place_number * groups) * width, place = place_number;
        const Int row = place_number / across, column = place_number - unsigned(row) * across;
        const T *window = x + (2 * row * columns + 2 * column) * channels + channel;
        const Int at[4] = {0, channels, columns * channels, (columns + 1) * channels};
        alignas(16) T in[4][width], out[width];
        for (int k = 0; k < 4; k++) load_some(in[k], window + at[k]);
#pragma unroll
        for (int c = 0; c < width; c++) {
            float v[4], result;
            int best;
            for (int k = 0; k < 4; k++) v[k] = to_float(in[k][c]);
            if constexpr (mode == Pooling::largest)
                result = largest_of(v, best);
            else if constexpr (mode == Pooling::mean)
                result = (v[0] + v[1] + v[2] + v[3]) / 4;
            else
                result = norm_of(v);
            out[c] = from_float<T>(scale * result);
        }
        store_some(y + place * channels + channel, out);
    }
}

// One thread makes width neighbouring channels of a window, of those too that a
// pooling drops.
template <Pooling mode, int width, class T>
__device__ void pool_gradient(T *dx, const T *dy, const T *x, const T *addend, bool masked, float scale, Int channels,
                              Int rows, Int columns) {
    const unsigned groups = unsigned(channels / width), across = unsigned(columns + 1) / 2;
    const unsigned count = unsigned(rows + 1) / 2 * across * groups;
    for (unsigned i = unsigned(first_index()); i < count; i += unsigned(index_step())) {
        const unsigned place = i / groups;
        const Int channel = Int(i - place * groups) * width, row = place / across,
                  column = place - unsigned(row) * across;
        const bool whole = 2 * row + 1 < rows && 2 * column + 1 < columns;
        // Zeros stand for what isn't there, so that there are no branches but round loads and
        // stores, which the compiler would take apart otherwise.
        alignas(16) T in[4][width] = {}, more[4][width] = {}, d[width] = {}, out[4][width];
        Int at[4];
        bool inside[4];
#pragma unroll
        for (int k = 0; k < 4; k++) {
            Int r = 2 * row + k / 2, c = 2 * column + k % 2;
            inside[k] = r < rows && c < columns;
            at[k] = (r * columns + c) * channels + channel;
            if (inside[k]) load_some(in[k], x + at[k]);
            if (inside[k] && addend) load_some(more[k], addend + at[k]);
        }
        if (whole) load_some(d, dy + (row * (columns / 2) + column) * channels + channel);
#pragma unroll
        for (int c = 0; c < width; c++) {
            float v[4], slopes[4];
            const float slope = scale * to_float(d[c]);
#pragma unroll
            for (int k = 0; k < 4; k++) v[k] = to_float(in[k][c]);
            if constexpr (mode == Pooling::largest) {
                int best;
                largest_of(v, best);
                for (int k = 0; k < 4; k++) slopes[k] = k == best ? slope : 0.f;
            } else if constexpr (mode == Pooling::mean) {
                for (int k = 0; k < 4; k++) slopes[k] = slope / 4;
            } else {
                const float norm = norm_of(v);
                for (int k = 0; k < 4; k++) slopes[k] = norm > 0 ? slope * v[k] / norm : 0.f;
            }
#pragma unroll
            for (int k = 0; k < 4; k++) {
                const bool passes = !masked || v[k] > 0;
                out[k][c] = from_float<T>(passes ? slopes[k] + to_float(more[k][c]) : 0.f);
            }
        }
#pragma unroll
        for (int k = 0; k < 4; k++)
            if (inside[k]) store_some(dx + at[k], out[k]);
    }
}

// Whether rows of so many channels can be read 16 bytes at a time.
template <class T> __device__ bool wide_channels(Int channels) { return channels % Wide<T>::count == 0; }

// y (⌊height/2⌋·⌊width/2⌋ × channels) = scale · the pooling of x (height·width ×
// channels): the largest of a window, its mean, or the root of the sum of squares.
//
// pool_gradient_…: dx (like x) = the gradient, given dy (like y) and x, plus addend
// (like x, may be null), then, where masked is 1, zero where x isn't positive. The
// gradient of a maximum goes to the first one in row-major order, that of an L2 norm of
// zero is zero.
//
// Pointers aligned to 16 bytes if channels is a multiple of 16 bytes of elements; fewer
// than 2³¹ windows times such multiples. Blocks
// of 256 threads, any one-dimensional grid.
#define POOL(name, mode, suffix, T)                                                                                    \
    KERNEL((map_threads), pool_##name##_##suffix, T *y, const T *x, double scale, Int channels, Int height,            \
           Int width) {                                                                                                \
        if (wide_channels<T>(channels))                                                                                \
            pool<mode, Wide<T>::count>(y, x, float(scale), channels, height, width);                                   \
        else                                                                                                           \
            pool<mode, 1>(y, x, float(scale), channels, height, width);                                                \
    }                                                                                                                  \
    KERNEL((map_threads), pool_##name##_gradient_##suffix, T *dx, const T *dy, const T *x, const T *addend,            \
           Int masked, double scale, Int channels, Int height, Int width) {                                            \
        if (wide_channels<T>(channels))                                                                                \
            pool_gradient<mode, Wide<T>::count>(dx, dy, x, addend, masked != 0, float(scale), channels, height,        \
                                                width);                                                                \
        else                                                                                                           \
            pool_gradient<mode, 1>(dx, dy, x, addend, masked != 0, float(scale), channels, height, width);             \
    }
#define POOLS(suffix, T)                                                                                               \
    POOL(max, Pooling::largest, suffix, T)                                                                             \
    POOL(mean, Pooling::mean, suffix, T)                                                                               \
    POOL(l2, Pooling::norm, suffix, T)
POOLS(f32, float)
POOLS(f16, f16)
POOLS(bf16, bf16)
#undef POOLS
#undef POOL

// The nine-point total variation of planes of float32, package pure's. A pair of
// neighbours along the first or last line counts for two diagonals more, which
// replicating the border makes of it.
struct Variation {
    double straight, diagonal; // weights of a pair

    __device__ double along(Int line, Int lines) const {
        double weight = straight;
        if (line == 0) weight += 2 * diagonal;
        if (line == lines - 1) weight += 2 * diagonal;
        return weight;
    }
};

// partials[block] = the block's share of the total variation of x (planes × height ×
// width); sum_partials adds them up. straight and diagonal: what a squared difference
// counts, pure.VariationWeights. Blocks of 256 threads; the result depends on the grid.
KERNEL((map_threads), variation_partials, double *partials, const float *x, double straight, double diagonal,
       Int planes, Int height, Int width) {
    const Variation v{straight, diagonal};
    double sum = 0;
    for (Int i = first_index(); i < planes * height * width; i += index_step()) {
        Int column = i % width, row = i / width % height;
        double here = x[i];
        auto add = [&](double weight, Int j) {
            double d = here - double(x[j]);
            sum += weight * d * d;
        };
        if (column + 1 < width) add(v.along(row, height), i + 1);
        if (row + 1 < height) {
            add(v.along(column, width), i + width);
            if (column + 1 < width) add(diagonal, i + width + 1);
            if (column > 0) add(diagonal, i + width - 1);
        }
    }
    sum = block_sum<map_threads>(sum);
    if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

// dx = *grad · the gradient of the total variation + addend (like x, may be null). Blocks
// of 256 threads, any one-dimensional grid.
KERNEL((map_threads), variation_gradient, float *dx, const float *x, const double *grad, const float *addend,
       double straight, double diagonal, Int planes, Int height, Int width) {
    const Variation v{straight, diagonal};
    for (Int i = first_index(); i < planes * height * width; i += index_step()) {
        Int column = i % width, row = i / width % height;
        double here = x[i], sum = 0;
        auto add = [&](double weight, Int j) { sum += weight * (here - double(x[j])); };
        double across = v.along(row, height), down = v.along(column, width);
        bool left = column > 0, right = column + 1 < width;
        if (left) add(across, i - 1);
        if (right) add(across, i + 1);
        if (row > 0) {
            add(down, i - width);
            if (left) add(diagonal, i - width - 1);
            if (right) add(diagonal, i - width + 1);
        }
        if (row + 1 < height) {
            add(down, i + width);
            if (left) add(diagonal, i + width - 1);
            if (right) add(diagonal, i + width + 1);
        }
        dx[i] = float(2 * *grad * sum) + (addend ? addend[i] : 0.f);
    }
}

// Differences of a map to a target, element by element: package pure's Difference.
constexpr double difference_rounding = 0.01;

template <class T> __device__ void difference_sums(double *partials, const T *x, const T *target, Int n) {
    double squares = 0, magnitudes = 0, target_squares = 0;
    for (Int i = first_index(); i < n; i += index_step()) {
        double t = to_float(target[i]), d = double(to_float(x[i])) - t;
        squares += d * d;
        magnitudes += fabs(d);
        target_squares += t * t;
    }
    squares = block_sum<map_threads>(squares);
    magnitudes = block_sum<map_threads>(magnitudes);
    target_squares = block_sum<map_threads>(target_squares);
    if (threadIdx.x == 0) {
        partials[blockIdx.x] = squares;
        partials[gridDim.x + blockIdx.x] = magnitudes;
        partials[2 * gridDim.x + blockIdx.x] = target_squares;
    }
}

// difference_partials_…: partials (3 × grid) = the blocks' shares of the sums of d², |d|
// and target², which sum_partials (grid of 3, factor 1) puts together as sums (3).
// difference_gradient_…: dx = what the cotangent of the sums (3) comes to at x + addend (like
// x, may be null). Blocks of 256 threads; sums depend on the grid.
#define DIFFERENCE(suffix, T)                                                                                          \
    KERNEL((map_threads), difference_partials_##suffix, double *partials, const T *x, const T *target, Int n) {        \
        difference_sums(partials, x, target, n);                                                                       \
    }                                                                                                                  \
    KERNEL((map_threads), difference_gradient_##suffix, T *dx, const T *x, const T *target, const double *cotangent,   \
           const T *addend, Int n) {                                                                                   \
        const double square = cotangent[0], magnitude = -cotangent[1];                                                 \
        make_each(                                                                                                     \
            dx, n,                                                                                                     \
            [=](const float *v) { return float(slope_at(square, magnitude, double(v[0]) - double(v[1]))) + v[2]; },    \
            operand(x), operand(target), operand(addend));                                                             \
    }
DIFFERENCE(f32, float)
DIFFERENCE(f16, f16)
DIFFERENCE(bf16, bf16)
#undef DIFFERENCE

// *value = the difference of n elements, from sums (3), and cotangent (3) = *grad·its
// derivatives by them. scaled: 1 for Σd²/Σ|d| divided by the target's root mean square, 0 for
// the mean of d². One thread.
KERNEL((map_threads), difference_comparison, double *value, double *cotangent, const double *sums, const double *grad,
       Int scaled, Int n) {
    if (threadIdx.x > 0) return;
    const double each = 1 / double(n);
    Slopes slopes = {each * sums[0], each, 0};
    if (scaled) {
        const double rms = sqrt(sums[2] / double(n));
        const double sum = sums[1] + difference_rounding * rms * double(n) + difference_epsilon;
        slopes = Slopes::of_ratio(sums[0], sum, 1 / (rms + difference_epsilon));
    }
    *value = slopes.value;
    cotangent[0] = *grad * slopes.square;
    cotangent[1] = *grad * -slopes.magnitude;
    cotangent[2] = 0;
}

// dx = *grad·gradient (float32) + addend, zero where mask isn't positive; addend and mask
// (like dx) may be null. Any one-dimensional grid of blocks of 256 threads.
//
// squares_partials_…: partials[block] = the block's share of Σ x², for sum_partials.
#define SCALE_MAP(suffix, T)                                                                                           \
    KERNEL((map_threads), scale_map_##suffix, T *dx, const float *gradient, const double *grad, const T *addend,       \
           const T *mask, Int n) {                                                                                     \
        const float factor = float(*grad);                                                                             \
        make_each(                                                                                                     \
            dx, n, [=](const float *v) { return v[2] > 0 ? factor * v[0] + v[1] : 0.f; }, operand(gradient),           \
            operand(addend), operand(mask, 1));                                                                        \
    }                                                                                                                  \
    KERNEL((map_threads), squares_partials_##suffix, double *partials, const T *x, Int n) {                            \
        double sum = 0;                                                                                                \
        for (Int i = first_index(); i < n; i += index_step()) {                                                        \
            double v = to_float(x[i]);                                                                                 \
            sum += v * v;                                                                                              \
        }                                                                                                              \
        sum = block_sum<map_threads>(sum);                                                                             \
        if (threadIdx.x == 0) partials[blockIdx.x] = sum;                                                              \
    }
SCALE_MAP(f32, float)
SCALE_MAP(f16, f16)
SCALE_MAP(bf16, bf16)
#undef SCALE_MAP

// Selections of positions. An index has one more than the number of a row for each of n
// positions, or 0 for none; rows are channels long.
//
// y (n × channels) = the rows of x that index names, zeros for none, + addend, zero where mask
// isn't positive; addend and mask (like y) may be null.
template <int width, class T>
__device__ void gather(T *y, const T *x, const int *index, const T *addend, const T *mask, Int channels, Int n) {
    const unsigned groups = unsigned(channels / width), count = unsigned(n) * groups;
    for (unsigned i = unsigned(first_index()); i < count; i += unsigned(index_step())) {
        const unsigned position = i / groups;
        const Int channel = Int(i - position * groups) * width, at = position * channels + channel;
        const int row = index[position];
        alignas(16) T values[width] = {}, more[width], seen[width];
        if (row > 0) load_some(values, x + (Int(row) - 1) * channels + channel);
        if (addend) load_some(more, addend + at);
        if (mask) load_some(seen, mask + at);
        for (int c = 0; c < width; c++) {
            float v = row > 0 ? to_float(values[c]) : 0.f;
            if (addend) v += to_float(more[c]);
            values[c] = from_float<T>(mask && !(to_float(seen[c]) > 0) ? 0.f : v);
        }
        store_some(y + at, values);
    }
}

// Pointers aligned as those of poolings; fewer than 2³¹ elements. Any one-dimensional grid of
// blocks of 256 threads.
#define GATHER(suffix, T)                                                                                              \
    KERNEL((map_threads), gather_##suffix, T *y, const T *x, const int *index, const T *addend, const T *mask,         \
           Int channels, Int n) {                                                                                      \
        if (wide_channels<T>(channels))                                                                                \
            gather<Wide<T>::count>(y, x, index, addend, mask, channels, n);                                            \
        else                                                                                                           \
            gather<1>(y, x, index, addend, mask, channels, n);                                                         \
    }
GATHER(f32, float)
GATHER(f16, f16)
GATHER(bf16, bf16)
#undef GATHER

// inverse[i] names the position at which index (n), whose rows are all different, names row
// i; those of rows that it doesn't name, zeros before, are left alone. Any one-dimensional
// grid of blocks of 256 threads.
KERNEL((map_threads), invert_index, int *inverse, const int *index, Int n) {
    for (Int i = first_index(); i < n; i += index_step())
        if (index[i] > 0) inverse[index[i] - 1] = int(i) + 1;
}
