// Vectors of float32 and float64, scalars in device memory, and changes of layout.
//
// Except where it says otherwise: blocks of 256 threads, any one-dimensional grid
// (threads share the elements), no dynamic shared memory, results that don't
// depend on the grid. Pointers need the alignment of their elements only.
#include "device.h"

constexpr int vector_threads = 256;

// y = value
KERNEL((vector_threads), fill, float *y, double value, Int n) {
    for (Int i = first_index(); i < n; i += index_step()) y[i] = float(value);
}

// x = alpha·x
KERNEL((vector_threads), scale, float *x, double alpha, Int n) {
    float a = float(alpha);
    for (Int i = first_index(); i < n; i += index_step()) x[i] *= a;
}

// y = *alpha·x
KERNEL((vector_threads), scale_by, float *y, const float *x, const double *alpha, Int n) {
    float a = float(*alpha);
    for (Int i = first_index(); i < n; i += index_step()) y[i] = a * x[i];
}

// y = *alpha·x, partials[block] = the block's share of Σ y², as by dot_partials.
KERNEL((vector_threads), scale_squares, float *y, double *partials, const float *x, const double *alpha, Int n) {
    const float a = float(*alpha);
    double sum = 0;
    for (Int i = first_index(); i < n; i += index_step()) {
        const float v = a * x[i];
        y[i] = v;
        sum += double(v) * double(v);
    }
    sum = block_sum<vector_threads>(sum);
    if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

// y = *alpha·x, float64
KERNEL((vector_threads), scale_by_f64, double *y, const double *x, const double *alpha, Int n) {
    for (Int i = first_index(); i < n; i += index_step()) y[i] = *alpha * x[i];
}

// y = y + alpha·x
KERNEL((vector_threads), axpy, float *y, double alpha, const float *x, Int n) {
    float a = float(alpha);
    for (Int i = first_index(); i < n; i += index_step()) y[i] += a * x[i];
}

// y = a + b; y may be a or b.
KERNEL((vector_threads), add_f64, double *y, const double *a, const double *b, Int n) {
    for (Int i = first_index(); i < n; i += index_step()) y[i] = a[i] + b[i];
}

// x = x moved into [low, high]; what isn't a number stays.
KERNEL((vector_threads), clamp, float *x, double low, double high, Int n) {
    float least = float(low), most = float(high);
    for (Int i = first_index(); i < n; i += index_step()) {
        float v = x[i];
        x[i] = v < least ? least : v > most ? most : v;
    }
}

// mean = decay·mean + (1−decay)·x
KERNEL((vector_threads), average, float *mean, double decay, const float *x, Int n) {
    float keep = float(decay), take = float(1 - decay);
    for (Int i = first_index(); i < n; i += index_step()) mean[i] = keep * mean[i] + take * x[i];
}

__device__ inline bool is_finite(double x) { return fabs(x) <= 1.7976931348623157e308; }

// One step of Adam:
//
//	mean   = beta1·mean   + (1−beta1)·gradient
//	square = beta2·square + (1−beta2)·gradient²
//	point -= step·mean / (√(square·correction) + epsilon)
//
// with step = StepSize/(1−beta1^t) and correction = 1/(1−beta2^t) in step t, after which the
// point is moved into [low, high] as by clamp. There is no step where one of the count numbers
// at checked, or *other, isn't finite; both may be null.
KERNEL((vector_threads), adam, float *point, const float *gradient, float *mean, float *square, double step,
       double correction, double beta1, double beta2, double epsilon, double low, double high, const double *checked,
       Int count, const double *other, Int n) {
    for (Int i = 0; checked && i < count; i++)
        if (!is_finite(checked[i])) return;
    if (other && !is_finite(*other)) return;
    float keep1 = float(beta1), take1 = float(1 - beta1), keep2 = float(beta2), take2 = float(1 - beta2);
    float size = float(step), unbias = float(correction), least = float(epsilon);
    const float lowest = float(low), highest = float(high);
    for (Int i = first_index(); i < n; i += index_step()) {
        float g = gradient[i];
        float m = keep1 * mean[i] + take1 * g;
        float s = keep2 * square[i] + take2 * g * g;
        mean[i] = m;
        square[i] = s;
        const float v = point[i] - size * m / (sqrtf(s * unbias) + least);
        point[i] = v < lowest ? lowest : v > highest ? highest : v;
    }
}

// partials[block] = the block's share of Σ x·y, by float64. sum_partials adds them
// up; the result depends on the grid.
KERNEL((vector_threads), dot_partials, double *partials, const float *x, const float *y, Int n) {
    double sum = 0;
    for (Int i = first_index(); i < n; i += index_step()) sum += double(x[i]) * double(y[i]);
    sum = block_sum<vector_threads>(sum);
    if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

// result[b] = factor·Σ partials[b·count …] in fixed order. Grid: one block for each
// result.
KERNEL((vector_threads), sum_partials, double *result, const double *partials, Int count, double factor) {
    const double *mine = partials + Int(blockIdx.x) * count;
    double sum = 0;
    for (Int i = threadIdx.x; i < count; i += vector_threads) sum += mine[i];
    sum = block_sum<vector_threads>(sum);
    if (threadIdx.x == 0) result[blockIdx.x] = factor * sum;
}

// One step of the two-loop recursion of L-BFGS (Nocedal and Wright 2006, algorithm 7.4):
//
//	q = factor·(q + c·add),   next[block] = the block's share of Σ q·with
//
// where c follows from d, the sum of the count numbers at last, which the step before left
// as next: in the first loop, second = 0, it is −d/product, and alphas[pair] = d/product; in
// the second, alphas[pair] − d/product. Without add, which is null, the term is left out, and
// without with the product.
KERNEL((vector_threads), two_loop, float *q, const float *add, const float *with, double *next, const double *last,
       Int count, double *alphas, Int pair, Int second, double product, double factor, Int n) {
    float c = 0;
    if (add) {
        double d = 0;
        for (Int i = threadIdx.x; i < count; i += vector_threads) d += last[i];
        d = block_sum<vector_threads>(d) / product;
        if (!second && first_index() == 0) alphas[pair] = d;
        c = float(second ? alphas[pair] - d : -d);
    }
    const float by = float(factor);
    double sum = 0;
    for (Int i = first_index(); i < n; i += index_step()) {
        float v = by * (add ? q[i] + c * add[i] : q[i]);
        q[i] = v;
        if (with) sum += double(v) * double(with[i]);
    }
    if (!with) return;
    sum = block_sum<vector_threads>(sum);
    if (threadIdx.x == 0) next[blockIdx.x] = sum;
}

// *sum = Σ weights[i]·*losses[i]; losses is an array of pointers to scalars, weights
// one of float64, both in device memory. Grid: one block, of one thread or more.
KERNEL((vector_threads), weighted_sum, double *sum, const double *const *losses, const double *weights, Int count) {
    if (threadIdx.x > 0) return;
    double total = 0;
    for (Int i = 0; i < count; i++) total += weights[i] * *losses[i];
    *sum = total;
}

// y[p·channels + c] = x[c·positions + p], from planes to channels last, and back:
// x[c·positions + p] = y[p·channels + c]. Blocks of 32×8 threads; grid
// (⌈positions/32⌉, ⌈channels/32⌉).
constexpr int tile_edge = 32, tile_rows = 8;

template <class To, class From>
__device__ void transpose(To *to, const From *from, Int rows, Int columns, Int row0, Int column0) {
    __shared__ float tile[tile_edge][tile_edge + 1];
    for (int i = threadIdx.y; i < tile_edge; i += tile_rows)
        if (row0 + i < rows && column0 + threadIdx.x < columns)
            tile[i][threadIdx.x] = to_float(from[(row0 + i) * columns + column0 + threadIdx.x]);
    __syncthreads();
    for (int i = threadIdx.y; i < tile_edge; i += tile_rows)
        if (column0 + i < columns && row0 + threadIdx.x < rows)
            to[(column0 + i) * rows + row0 + threadIdx.x] = from_float<To>(tile[threadIdx.x][i]);
}

#define LAYOUT(suffix, T)                                                                                              \
    KERNEL((tile_edge * tile_rows), channels_last_##suffix, T *y, const float *x, Int channels, Int positions) {       \
        transpose(y, x, channels, positions, Int(blockIdx.y) * tile_edge, Int(blockIdx.x) * tile_edge);                \
    }                                                                                                                  \
    KERNEL((tile_edge * tile_rows), planes_##suffix, float *x, const T *y, Int channels, Int positions) {              \
        transpose(x, y, positions, channels, Int(blockIdx.x) * tile_edge, Int(blockIdx.y) * tile_edge);                \
    }
LAYOUT(f32, float)
LAYOUT(f16, f16)
LAYOUT(bf16, bf16)
#undef LAYOUT
