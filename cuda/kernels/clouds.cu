// Losses between clouds of points, package pure's Sinkhorn, Relaxed and MMD, as far as they
// aren't the passes over all pairs of pairwise.cu.
//
// Clouds are the positions of maps. Gradients are positions × channels of float32, zero before.
#include "device.h"
#include "places.h"

constexpr int cloud_threads = 256;
constexpr double log2_of_e = 1.4426950408889634, ln_of_2 = 0.6931471805599453, cloud_epsilon = 1e-8;

// The number of the warp among those of the grid, and of this thread in it.
__device__ __forceinline__ Int warp_number() { return first_index() / warp_size; }
__device__ __forceinline__ int lane_number() { return threadIdx.x % warp_size; }

// points (count × depth) = those of a map x (count × channels) less centre (channels, may be
// null), zeros beyond the channels; unit: 1 makes them of length 1, except zeros; rounded: 1
// rounds them to TF32. squares (count) = |points|², of the values as they are stored. Blocks
// of 256 threads, a warp a point; grid ⌈count/8⌉.
template <class T>
__device__ void fill_cloud(float *points, double *squares, const T *x, const double *centre, bool unit, bool rounded,
                           Int channels, Int depth, Int count) {
    const Int i = warp_number();
    if (i >= count) return;
    const T *from = x + i * channels;
    auto value = [&](Int c) { return double(to_float(from[c])) - (centre ? centre[c] : 0.); };
    double factor = 1;
    if (unit) {
        double sum = 0;
        for (Int c = lane_number(); c < channels; c += warp_size) sum += value(c) * value(c);
        sum = warp_sum(sum);
        if (sum > 0) factor = 1 / sqrt(sum);
    }
    double sum = 0;
    for (Int c = lane_number(); c < depth; c += warp_size) {
        float v = c < channels ? float(value(c) * factor) : 0.f;
        if (rounded) v = __uint_as_float(round_tf32(__float_as_uint(v)));
        points[i * depth + c] = v;
        sum += double(v) * double(v);
    }
    sum = warp_sum(sum);
    if (lane_number() == 0) squares[i] = sum;
}
#define CLOUD_FILL(suffix, T)                                                                                          \
    KERNEL((cloud_threads), cloud_fill_##suffix, float *points, double *squares, const T *x, const double *centre,     \
           Int unit, Int rounded, Int channels, Int depth, Int count) {                                                \
        fill_cloud(points, squares, x, centre, unit != 0, rounded != 0, channels, depth, count);                       \
    }
CLOUD_FILL(f32, float)
CLOUD_FILL(f16, f16)
CLOUD_FILL(bf16, bf16)
#undef CLOUD_FILL

// spread (2) = the mean |y|² and the mean |y − mean|² of a cloud that was filled less centre,
// from the means of its points (depth, by channel_sums_f32) and *square, the mean of its
// squares. One block of 256 threads.
KERNEL((cloud_threads), cloud_spread, double *spread, const double *means, const double *square, const double *centre,
       Int channels) {
    double own = 0, across = 0, of_centre = 0;
    for (Int c = threadIdx.x; c < channels; c += cloud_threads) {
        double middle = centre ? centre[c] : 0.;
        own += means[c] * means[c];
        across += means[c] * middle;
        of_centre += middle * middle;
    }
    own = block_sum<cloud_threads>(own);
    across = block_sum<cloud_threads>(across);
    of_centre = block_sum<cloud_threads>(of_centre);
    if (threadIdx.x > 0) return;
    spread[0] = *square + 2 * across + of_centre;
    spread[1] = *square - own;
}

// numbers (4) of an evaluation of Sinkhorn: ε, what exponents of log_sums are multiplied by,
// what the loss counts for, and 1 where the target is of equal points, to which there is but
// one plan; ε is the target's mean square then, or 1. strength: what the loss counts for in
// units of that, or 0 for once. Points are equal whose mean square distance from their mean
// is at most equal times their mean square. One thread.
KERNEL((cloud_threads), sinkhorn_numbers, double *numbers, const double *spread, double epsilon, double strength,
       double equal) {
    if (threadIdx.x > 0) return;
    const bool constant = spread[1] <= equal * spread[0];
    numbers[0] = !constant ? epsilon * 2 * spread[1] : spread[0] > 0 ? spread[0] : 1;
    numbers[1] = 2 * log2_of_e / numbers[0];
    numbers[2] = strength > 0 ? strength / (spread[0] + cloud_epsilon) : 1;
    numbers[3] = constant;
}

// scaled (2) = ε·times and the factor of exponents that goes with it. One thread.
KERNEL((cloud_threads), scale_epsilon, double *scaled, const double *numbers, double times) {
    if (threadIdx.x > 0) return;
    scaled[0] = numbers[0] * times;
    scaled[1] = numbers[1] / times;
}

// bias = (potential − square)/2, float32; potential may be null. Any one-dimensional grid of
// blocks of 256 threads.
KERNEL((cloud_threads), half_bias, float *bias, const double *potential, const double *squares, Int n) {
    for (Int i = first_index(); i < n; i += index_step())
        bias[i] = float(((potential ? potential[i] : 0.) - squares[i]) / 2);
}

// potential = the softmin of which log_sums made logs (parts × n), or, where averaged is 1,
// its mean with that, at ε = *epsilon_at; errors[block] = the block's share of Σ |row sum − 1| of the plan with
// the potential before. m is the number of columns. Nothing is done where stop isn't null
// and *stop isn't zero. Any one-dimensional grid of blocks of 256 threads.
KERNEL((cloud_threads), softmin, double *potential, double *errors, const double *logs, const double *squares,
       const double *epsilon_at, const double *stop, Int averaged, Int parts, Int n, Int m) {
    if (stop && *stop != 0) return;
    const double epsilon = *epsilon_at, shift = log2(double(m));
    double error = 0;
    for (Int i = first_index(); i < n; i += index_step()) {
        double most = logs[i], sum = 0;
        for (Int part = 1; part < parts; part++) most = max(most, logs[part * n + i]);
        for (Int part = 0; part < parts; part++) sum += exp2(logs[part * n + i] - most);
        double before = potential[i], v = squares[i] - epsilon * ln_of_2 * (most + log2(sum) - shift);
        error += fabs(expm1((before - v) / epsilon));
        potential[i] = averaged ? (before + v) / 2 : v;
    }
    error = block_sum<cloud_threads>(error);
    if (threadIdx.x == 0) errors[blockIdx.x] = error;
}

// *stop = 1 where the error of the marginals, Σ errors/n, is at most tolerance; left alone
// otherwise. One block of 256 threads.
KERNEL((cloud_threads), sinkhorn_stop, double *stop, const double *errors, double tolerance, Int count, Int n) {
    if (*stop != 0) return;
    double sum = 0;
    for (Int i = threadIdx.x; i < count; i += cloud_threads) sum += errors[i];
    sum = block_sum<cloud_threads>(sum);
    if (threadIdx.x == 0 && sum / double(n) <= tolerance) *stop = 1;
}

__device__ inline double block_mean(const double *x, Int n) {
    double sum = 0;
    for (Int i = threadIdx.x; i < n; i += cloud_threads) sum += x[i];
    return block_sum<cloud_threads>(sum) / double(n);
}

// *value = the loss, from the potentials f (n) and g (m) between the clouds, p (n) and q (m)
// of each with itself. One block of 256 threads.
KERNEL((cloud_threads), sinkhorn_value, double *value, const double *f, const double *g, const double *p,
       const double *q, const double *numbers, Int n, Int m) {
    double between = block_mean(f, n) + block_mean(g, m), within = block_mean(p, n) + block_mean(q, m);
    if (threadIdx.x == 0) *value = numbers[2] * (between - (numbers[3] != 0 ? 0. : within));
}

// gradient += sign·2·(loss's factor)/n · the mean of the columns by the plan, pulled/mass (n ×
// depth, n); itself: 1 where rows and columns are the same cloud, points (n × depth). Blocks
// of 256 threads, a warp a point; grid ⌈n/8⌉.
KERNEL((cloud_threads), sinkhorn_pull, float *gradient, const float *pulled, const float *mass, const float *points,
       const double *numbers, double sign, Int itself, Int n, Int channels, Int depth) {
    const Int i = warp_number();
    if (i >= n) return;
    const float weight = float(sign * numbers[2] * 2 / double(n));
    const bool alone = itself && numbers[3] != 0;
    float *to = gradient + i * channels;
    for (Int c = lane_number(); c < channels; c += warp_size)
        to[c] += weight * (alone ? points[i * depth + c] : pulled[i * depth + c] / mass[i]);
}

// index (n) = the column of the greatest value among those of the parts (parts × n), the
// first of several. Any one-dimensional grid of blocks of 256 threads.
KERNEL((cloud_threads), greatest_finish, int *index, const float *values, const int *indices, Int parts, Int n) {
    for (Int i = first_index(); i < n; i += index_step()) {
        float most = values[i];
        index[i] = indices[i];
        for (Int part = 1; part < parts; part++)
            if (values[part * n + i] > most) {
                most = values[part * n + i];
                index[i] = indices[part * n + i];
            }
    }
}

struct Products {
    double xx, yy, xy, distance;
};

// What a pair's cost is made of, to all lanes of a warp.
template <class T> __device__ Products products_of(const T *x, const T *y, Int channels) {
    Products p = {};
    for (Int c = lane_number(); c < channels; c += warp_size) {
        double v = to_float(x[c]), w = to_float(y[c]);
        p.xx += v * v;
        p.yy += w * w;
        p.xy += v * w;
        p.distance += (v - w) * (v - w);
    }
    return {warp_sum(p.xx), warp_sum(p.yy), warp_sum(p.xy), warp_sum(p.distance)};
}

// costs (n) = of each point x_i to y of number index[i]: |x−y|², or 1 − x·y/|x||y| where
// euclidean is 0. Blocks of 256 threads, a warp a point; grid ⌈n/8⌉.
//
// relaxed_pull_…: gradient += factor times that of the cost's mean, by x: of nearest_y (n)
// where sums[0] ≥ sums[1], the means of either direction, else of nearest_x (m), in sorted
// (m), items of index_places in order. factor is *scale.
template <class T>
__device__ void relaxed_costs(double *costs, const T *x, const T *y, const int *index, bool euclidean, Int channels,
                              Int n) {
    const Int i = warp_number();
    if (i >= n) return;
    Products p = products_of(x + i * channels, y + Int(index[i]) * channels, channels);
    if (lane_number() > 0) return;
    costs[i] = euclidean ? p.distance : p.xx == 0 || p.yy == 0 ? 1. : 1 - p.xy / sqrt(p.xx * p.yy);
}

template <class T>
__device__ void relaxed_pull(float *gradient, const T *x, const T *y, const int *nearest_y, const Place *sorted,
                             const double *sums, const double *scale, bool euclidean, Int channels, Int n, Int m) {
    const Int i = warp_number();
    if (i >= n) return;
    const T *from = x + i * channels;
    float *to = gradient + i * channels;
    auto add = [&](Int j, double factor) {
        const T *other = y + j * channels;
        Products p = products_of(from, other, channels);
        double own = 2 * factor, others = 2 * factor;
        if (!euclidean) {
            if (p.xx == 0 || p.yy == 0) return;
            others = factor / sqrt(p.xx * p.yy);
            own = others * p.xy / p.xx;
        }
        for (Int c = lane_number(); c < channels; c += warp_size)
            to[c] += float(own * double(to_float(from[c])) - others * double(to_float(other[c])));
    };
    if (sums[0] >= sums[1]) {
        add(nearest_y[i], *scale / double(n));
        return;
    }
    for (Int at = lower_bound(sorted, m, unsigned(i)); at < m && sorted[at].key == unsigned(i); at++)
        add(sorted[at].from, *scale / double(m));
}
#define RELAXED(suffix, T)                                                                                             \
    KERNEL((cloud_threads), relaxed_costs_##suffix, double *costs, const T *x, const T *y, const int *index,           \
           Int euclidean, Int channels, Int n) {                                                                       \
        relaxed_costs(costs, x, y, index, euclidean != 0, channels, n);                                                \
    }                                                                                                                  \
    KERNEL((cloud_threads), relaxed_pull_##suffix, float *gradient, const T *x, const T *y, const int *nearest_y,      \
           const Place *sorted, const double *sums, const double *scale, Int euclidean, Int channels, Int n, Int m) {  \
        relaxed_pull(gradient, x, y, nearest_y, sorted, sums, scale, euclidean != 0, channels, n, m);                  \
    }
RELAXED(f32, float)
RELAXED(f16, f16)
RELAXED(bf16, bf16)
#undef RELAXED

// items (n) to sort by index. Any one-dimensional grid of blocks of 256 threads.
KERNEL((cloud_threads), index_places, Place *items, const int *index, Int n) {
    for (Int i = first_index(); i < n; i += index_step()) items[i] = {unsigned(index[i]), unsigned(i)};
}

// *scale = factor, divided by the target's mean square where scaled is 1. One thread.
KERNEL((cloud_threads), relaxed_scale, double *scale, const double *spread, double factor, Int scaled) {
    if (threadIdx.x == 0) *scale = scaled ? factor / (spread[0] + cloud_epsilon) : factor;
}

// *value = *scale·the greater of sums (2). One thread.
KERNEL((cloud_threads), relaxed_value, double *value, const double *sums, const double *scale) {
    if (threadIdx.x == 0) *value = *scale * (sums[1] > sums[0] || sums[1] != sums[1] ? sums[1] : sums[0]);
}

// distances (count·(count−1)/2) = |y−y′|² between distinct points of a probe of m: count at
// equal intervals. Blocks of 256 threads, a warp a pair; grid
// ⌈pairs/8⌉.
#define PROBE(suffix, T)                                                                                               \
    KERNEL((cloud_threads), probe_distances_##suffix, float *distances, const T *y, Int channels, Int m, Int count) {  \
        const Int pair = warp_number();                                                                                \
        if (pair >= count * (count - 1) / 2) return;                                                                   \
        Int row = 1;                                                                                                   \
        for (Int before = pair; before >= row; before -= row++) {                                                      \
        }                                                                                                              \
        const Int column = pair - row * (row - 1) / 2;                                                                 \
        auto point = [&](Int i) { return y + i * m / count * channels; };                                              \
        Products p = products_of(point(row), point(column), channels);                                                 \
        if (lane_number() == 0) distances[pair] = float(p.distance);                                                   \
    }
PROBE(f32, float)
PROBE(f16, f16)
PROBE(bf16, bf16)
#undef PROBE

// numbers (5) of an evaluation of MMD: the factor of exponents, what the loss counts for,
// what the pulls between points of x and to those of y count for, and the bandwidth: the
// median of the sorted keys of the probe's distances, or, where that is nothing, the target's
// mean square, or 1. One thread.
KERNEL((cloud_threads), mmd_numbers, double *numbers, const unsigned *sorted, const double *spread, Int pairs,
       Int scaled, Int n, Int m) {
    if (threadIdx.x > 0) return;
    double h = 0;
    if (pairs > 0) {
        const unsigned key = sorted[pairs / 2];
        h = __uint_as_float(key ^ (key >> 31 ? 0x80000000u : 0xffffffffu));
    }
    if (!(h > 1e-6 * spread[0])) h = spread[0] > 0 ? spread[0] : 1;
    const double strength = 6, kernels = 5, slope = -2 / (kernels * 8 * h), a = double(n), b = double(m);
    const double factor = scaled ? strength * h / (spread[0] + cloud_epsilon) : 1;
    numbers[0] = 2 * log2_of_e / (8 * h);
    numbers[1] = factor;
    numbers[2] = factor * 2 * slope / (a * a);
    numbers[3] = -factor * 2 * slope / (a * b);
    numbers[4] = h;
}

// *value = the loss, from the sums (3) of the mixture over all pairs of x and x, x and y, y
// and y. One thread.
KERNEL((cloud_threads), mmd_value, double *value, const double *sums, const double *numbers, Int n, Int m) {
    if (threadIdx.x > 0) return;
    const double a = double(n), b = double(m);
    *value = numbers[1] * (sums[0] / (a * a) + sums[2] / (b * b) - 2 * sums[1] / (a * b)) / 5;
}

// gradient += *factor·(mass·x − pulled). Blocks of 256 threads, a warp a point; grid ⌈n/8⌉.
KERNEL((cloud_threads), mmd_pull, float *gradient, const float *pulled, const float *mass, const float *points,
       const double *factor, Int n, Int channels, Int depth) {
    const Int i = warp_number();
    if (i >= n) return;
    const float weight = float(*factor);
    float *to = gradient + i * channels;
    for (Int c = lane_number(); c < channels; c += warp_size)
        to[c] += weight * (mass[i] * points[i * depth + c] - pulled[i * depth + c]);
}
