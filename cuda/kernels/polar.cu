// The transport map of gaussian.cu by float32, for devices on which float64 is slow.
//
// With Σ = LLᵀ and Σₜ = LₜLₜᵀ, the map is T = Lₜ U L⁻¹, where U is the orthogonal factor in
// the polar decomposition X = U·H of X = LₜᵀL. The factors are made in float64, n³ operations
// of float64; the rest is products of float32:
//
//	X₁ = ½(μX + μ⁻¹X⁻ᵀ)    X⁻ᵀ = Lₜ⁻¹L⁻ᵀ          one step of Newton's (Higham 1986)
//	X ← aX + bX(XᵀX)       as often as it takes     to U
//
// Singular values of X lie between √(ridges' product) and √(Σₜ·Σ), some 10⁵ to 10⁶ apart:
// Newton's step leaves a few hundreds of that, whatever is rounded in X and X⁻ᵀ for itself.
// The cubics are those that come nearest to 1 on what is left (Chen and Chow 2014, "A stable
// scaling of Newton-Schulz for improving the sign function computation of a Hermitian
// matrix"). They enlarge small singular values and hardly reduce others, which makes each
// step stable (Nakatsukasa and Higham 2012, "Backward stability of iterations for computing
// the polar decomposition"); polynomials of degree 5 cancel more and lose ten times as much.
//
// Rows and columns are in the order in which Cholesky's method with pivoting takes the
// target's: so rows of X and of what becomes of it come down in size, and what is rounded is
// small beside the row that it is in. For the same reason products are compensated sums
// (Kahan 1965) of short ones, and N = UX⁻¹, of which T = LₜNLₜᵀ and which is symmetric but for
// rounding, is made so by weights: column j is off by what is rounded in U by the size of row
// j of X. The last word has the residual, in float64.
//
// On features of pictures of 512×384 pixels the residual is 2e-6 to 1.9e-5 at relu3_1 to
// relu5_1, and T off by 0.4 to 1.9e-6 as gradients see it. It is missed where both have fewer
// positions than channels: 3e-4 at relu5_1 of 256×192, though gradients are nearly as good.
//
//	gaussian_covariance         Σ, also in order
//	dot_partials_f64            Σₜ·Σ
//	polar_begin                 coefficients of the steps, the first pivot
//	factor_step…                Lᵀ and L⁻¹
//	polar_first                 X₁
//	12 times: polar_gram, polar_step
//	polar_product, polar_root   U·L⁻¹, N
//	polar_product, polar_map    N·Lₜᵀ, T
//
// and the residual and what follows as in gaussian.cu. Matrices are n×n, n a multiple of 64,
// those of float32 at multiples of 16 bytes. `steps` is how many of the 12 are left out, what
// X and X⁻ᵀ are multiplied by, then a and b of each step.
#include "elimination.h"
#include "tile.h"

constexpr int polar_threads = 256, polar_steps = 12, polar_size = 3 + 2 * polar_steps;

// How far from 1 singular values may be in the end, and down to which share of what the ridges
// say they may begin: rounding in second moments takes from the ridges, and a cubic makes of
// what is beyond its range something small or negative.
constexpr double polar_accuracy = 1e-6, least_share = 0.5;

// The cubic ax + bx³ that comes nearest to 1 for low ≤ x ≤ high; the range becomes that of
// its values.
__device__ inline void best_cubic(double &low, double &high, double &a, double &b) {
    const double sum = low * low + low * high + high * high; // so that it is equal at both ends
    const double ends = low * (sum - low * low), most = 2 * sum * sqrt(sum / 3) / 3;
    b = -2 / (ends + most);
    a = -b * sum;
    low = -b * ends;
    high = -b * most;
}

// By Gauss's elimination, C⁻¹ of the Cholesky factor C of a pivot, of which this thread has
// the elements (row, first … first+3), and the pivot's inverse C⁻ᵀC⁻¹: to known, the inverse
// before C⁻¹. root is room in shared memory.
__device__ inline void factor_pivot(double *known, double (&mine)[4], int row, int first,
                                    double (*root)[pivot_edge + 1]) {
    __shared__ double pivot_row[2][pivot_edge], pivot_column[2][pivot_edge], diagonal[pivot_edge];
    auto show = [&](int p) {
        for (int i = 0; i < 4; i++) {
            if (row == p) pivot_row[p % 2][first + i] = mine[i];
            if (first + i == p) pivot_column[p % 2][row] = mine[i];
        }
    };
    show(0);
    for (int p = 0; p < pivot_edge; p++) {
        __syncthreads();
        const auto &line = pivot_row[p % 2];
        if (row > p) {
            const double factor = pivot_column[p % 2][row] * quick_inverse(line[p]);
#pragma unroll
            for (int i = 0; i < 4; i++)
                mine[i] = first + i == p ? -factor : mine[i] - factor * line[first + i];
        }
        if (p + 1 < pivot_edge) show(p + 1);
    }
#pragma unroll
    for (int i = 0; i < 4; i++)
        if (first + i == row) diagonal[row] = 1 / sqrt(mine[i]);
    __syncthreads();
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const double below = first + i < row ? mine[i] : 0;
        root[row][first + i] = diagonal[row] * (first + i == row ? 1 : below);
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < 4; i++) {
        double sum = 0;
        for (int k = 0; k < pivot_edge; k++) sum += root[k][row] * root[k][first + i];
        known[row * pivot_edge + first + i] = sum;
        known[pivot_size + row * pivot_edge + first + i] = root[row][first + i];
    }
}

// steps, from count partials of Σₜ·Σ and the ridge, and the first pivot of ordered, to
// pivots. One block of 256 threads. steps has 27 elements.
KERNEL((polar_threads), polar_begin, double *steps, double *pivots, const double *partials, Int count,
       const double *ridge, const double *ordered, Int n) {
    __shared__ double root[pivot_edge][pivot_edge + 1];
    double sum = 0;
    for (Int i = threadIdx.x; i < count; i += polar_threads) sum += partials[i];
    sum = block_sum<polar_threads>(sum);
    if (threadIdx.x == 0) {
        const double least = least_share * ridge[2], spread = sqrt(sum) / least;
        const double half = (sqrt(spread) + 1 / sqrt(spread)) / 2;
        double low = 1 / half, high = 1, a, b;
        int needed = 0;
        for (; needed < polar_steps && high - low > 2 * polar_accuracy; needed++) best_cubic(low, high, a, b);
        steps[0] = polar_steps - needed;
        steps[1] = 0.5 / (half * least * sqrt(spread));
        steps[2] = 0.5 / half * least * sqrt(spread);
        low = 1 / half, high = 1;
        for (int step = polar_steps - needed; step < polar_steps; step++) {
            best_cubic(low, high, a, b);
            steps[3 + 2 * step] = a;
            steps[4 + 2 * step] = b;
        }
    }
    const int row = threadIdx.x / 8, first = threadIdx.x % 8 * 4;
    double mine[4];
    for (int i = 0; i < 4; i++) mine[i] = ordered[row * n + first + i];
    factor_pivot(pivots, mine, row, first, root);
}

// Step number step of n/32 that make Lᵀ and L⁻¹ of a matrix LLᵀ: Gauss's elimination of the
// rows below each pivot, beside it in the place of the columns that are done the same of the
// identity. What is left of the matrix is symmetric, and only on and below the diagonal, by
// blocks of 64. from: the matrix or, after step 0, the last step's to. pivots: 4,096
// elements, what a step leaves for the next. As in invert_step, the last block looks ahead.
// Blocks of 256 threads; grid (n/64)² + 1.
KERNEL((polar_threads), factor_step, float *factor, float *inverse, double *to, const double *from, double *pivots,
       Int n, Int step) {
    __shared__ double pivot[pivot_edge][pivot_edge + 1];
    __shared__ double left[invert_edge][pivot_edge + 1];
    __shared__ double above[pivot_edge][invert_edge];
    const int thread = threadIdx.x, first = int(step) * pivot_edge, below = first + pivot_edge;
    const int edge = int(n) / invert_edge;
    const bool ahead = int(blockIdx.x) == edge * edge;
    if (ahead && below >= n) return;
    const int row0 = ahead ? below : int(blockIdx.x) / edge * invert_edge;
    const int column0 = ahead ? below : int(blockIdx.x) % edge * invert_edge;
    const bool has_pivot = !ahead && row0 <= first && first < row0 + invert_edge;
    if (row0 + invert_edge <= first || (column0 > row0 && !has_pivot)) return;
    auto at = [&](int row, int column) { return row < n && column < n ? from[row * n + column] : 0.; };
    auto is_pivot = [&](int i) { return i >= first && i < below; };
    // Row number row of the pivot's, of which what is right of it is mirrored.
    auto pivots_row = [&](int row, int column) {
        return column < below ? at(first + row, column) : at(column, first + row);
    };
    const double *known = pivots + step % 2 * 2 * pivot_size, *root = known + pivot_size;
    for (int i = thread; i < pivot_size; i += polar_threads) pivot[i / pivot_edge][i % pivot_edge] = known[i];
    for (int i = thread; i < invert_edge * pivot_edge; i += polar_threads)
        left[i / pivot_edge][i % pivot_edge] = at(row0 + i / pivot_edge, first + i % pivot_edge);
    for (int i = thread; i < invert_edge * pivot_edge; i += polar_threads) {
        const int row = i / invert_edge, column = column0 + i % invert_edge;
        above[row][i % invert_edge] = is_pivot(column) ? double(column - first == row) : pivots_row(row, column);
    }
    __syncthreads();
    multiply_pivot(above, pivot);
    if (ahead) {
        const int row = thread / 8, column = thread % 8 * 4;
        double next[4];
        for (int i = 0; i < 4; i++) next[i] = at(row0 + row, column0 + column + i);
        for (int k = 0; k < pivot_edge; k++)
            for (int i = 0; i < 4; i++) next[i] -= left[row][k] * above[k][column + i];
        factor_pivot(pivots + (step + 1) % 2 * 2 * pivot_size, next, row, column, pivot);
        return;
    }
    const int row = thread / 16 * 4, column = thread % 16 * 4;
    if (row0 + row >= below && column0 <= row0) {
        double rest[4][4];
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++) {
                const int c = column0 + column + j;
                rest[i][j] = is_pivot(c) ? 0 : at(row0 + row + i, c);
            }
        eliminate(rest, left, above, row, column);
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++) to[(row0 + row + i) * n + column0 + column + j] = rest[i][j];
    }
    if (!has_pivot) return;
    // The pivot's rows, done: C⁻¹ times what is there.
    const int top = thread / 16 * 2;
    double sums[2][4] = {};
    for (int k = 0; k < pivot_edge; k++)
        for (int i = 0; i < 2; i++)
            for (int j = 0; j < 4; j++)
                sums[i][j] += root[(top + i) * pivot_edge + k] * pivots_row(k, column0 + column + j);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 4; j++) {
            const int r = first + top + i, c = column0 + column + j;
            factor[r * n + c] = c < r ? 0.f : float(sums[i][j]);
            inverse[r * n + c] = c < first ? float(sums[i][j])
                                 : c < below ? float(root[(top + i) * pivot_edge + c - first]) : 0.f;
        }
}

constexpr int polar_depth = 16, polar_pitch = tile_products + 4;

// A slice of an operand: 16 of what is summed over, 64 rows or columns of the product.
struct alignas(16) PolarSlice {
    float at[polar_depth][polar_pitch];
};

// This thread's 16 bytes of a slice. Where by_rows, sums go along the operand's rows, from k
// on, of which 64 begin at first; else along its columns.
template <bool by_rows> __device__ __forceinline__ Wide<float> load_slice(const float *matrix, Int n, int k, int first) {
    const int thread = threadIdx.x;
    return load_wide(by_rows ? matrix + (first + thread / 4) * n + k + thread % 4 * 4
                             : matrix + (k + thread / 16) * n + first + thread % 16 * 4);
}
template <bool by_rows> __device__ __forceinline__ void store_slice(PolarSlice &slice, const Wide<float> &values) {
    const int thread = threadIdx.x;
    if constexpr (by_rows)
        for (int i = 0; i < 4; i++) slice.at[thread % 4 * 4 + i][thread / 4] = values.at[i];
    else
        store_wide(&slice.at[thread / 16][thread % 16 * 4], values);
}

// totals += 64×64 of a product from (row0, column0) on, summed over begin ≤ k < end, both
// multiples of 16: of rows of left, or of columns, with rows or columns of right.
template <bool left_by_rows, bool right_by_rows>
__device__ inline void multiply_precisely(float (&totals)[4][4], const float *left, const float *right, Int n, int row0,
                                          int column0, int begin, int end) {
    __shared__ PolarSlice left_slice, right_slice;
    float lost[4][4] = {};
    Wide<float> next_left = load_slice<left_by_rows>(left, n, begin, row0);
    Wide<float> next_right = load_slice<right_by_rows>(right, n, begin, column0);
    for (int k = begin; k < end; k += polar_depth) {
        __syncthreads();
        store_slice<left_by_rows>(left_slice, next_left);
        store_slice<right_by_rows>(right_slice, next_right);
        __syncthreads();
        if (k + polar_depth < end) {
            next_left = load_slice<left_by_rows>(left, n, k + polar_depth, row0);
            next_right = load_slice<right_by_rows>(right, n, k + polar_depth, column0);
        }
        float sums[4][4] = {};
        multiply_tile(sums, left_slice.at, right_slice.at);
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++) {
                const float more = sums[i][j] - lost[i][j], total = totals[i][j] + more;
                lost[i][j] = (total - totals[i][j]) - more;
                totals[i][j] = total;
            }
    }
}

// Where this block's products begin, in a grid of (n/64)².
__device__ __forceinline__ int polar_row() { return int(blockIdx.y) * tile_products; }
__device__ __forceinline__ int polar_column() { return int(blockIdx.x) * tile_products; }

// X₁ of the target's factor Lₜᵀ and inverse Lₜ⁻¹ and of the picture's, to where the first
// step that isn't left out has its X. Blocks of 256 threads; grid (n/64, n/64).
KERNEL((polar_threads), polar_first, float *even, float *odd, const float *target_factor, const float *target_inverse,
       const float *factor, const float *inverse, const double *steps, Int n) {
    const int row0 = polar_row(), column0 = polar_column();
    float *to = int(steps[0]) % 2 == 0 ? even : odd;
    float products[4][4] = {}, inverses[4][4] = {};
    multiply_precisely<true, true>(products, target_factor, factor, n, row0, column0, max(row0, column0), int(n));
    multiply_precisely<true, true>(inverses, target_inverse, inverse, n, row0, column0, 0,
                                   min(row0, column0) + tile_products);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            products[i][j] = float(steps[1] * double(products[i][j]) + steps[2] * double(inverses[i][j]));
    store_tile(to, products, row0, column0, n, n);
}

// Of step number step, gram = XᵀX, where X is even or odd as the step is. Blocks of 256
// threads; grid b(b+1)/2, b = n/64.
KERNEL((polar_threads), polar_gram, float *gram, const float *even, const float *odd, const double *steps, Int n,
       Int step) {
    if (double(step) < steps[0]) return;
    int row0, column0;
    lower_block(blockIdx.x, row0, column0);
    row0 *= tile_products, column0 *= tile_products;
    const float *x = step % 2 == 0 ? even : odd;
    float products[4][4] = {};
    multiply_precisely<false, false>(products, x, x, n, row0, column0, 0, int(n));
    store_tile(gram, products, row0, column0, n, n);
    if (row0 == column0) return;
    for (int j = 0; j < 4; j++) {
        Wide<float> mirrored;
        for (int i = 0; i < 4; i++) mirrored.at[i] = products[i][j];
        store_wide(gram + (column0 + tile_column() + j) * n + row0 + tile_row(), mirrored);
    }
}

// Step number step, aX + bX·gram, from even to odd or, where the step is odd, back. Blocks of
// 256 threads; grid (n/64, n/64).
KERNEL((polar_threads), polar_step, float *even, float *odd, const float *gram, const double *steps, Int n, Int step) {
    if (double(step) < steps[0]) return;
    const int row0 = polar_row(), column0 = polar_column();
    const float *x = step % 2 == 0 ? even : odd;
    const float a = float(steps[3 + 2 * step]), b = float(steps[4 + 2 * step]);
    float products[4][4] = {};
    multiply_precisely<true, false>(products, x, gram, n, row0, column0, 0, int(n));
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            products[i][j] = a * x[(row0 + tile_row() + i) * n + column0 + tile_column() + j] + b * products[i][j];
    store_tile(step % 2 == 0 ? odd : even, products, row0, column0, n, n);
}

// to = left·right, where right is lower triangular or, if upper is 1, upper triangular. Blocks
// of 256 threads; grid (n/64, n/64).
KERNEL((polar_threads), polar_product, float *to, const float *left, const float *right, Int upper, Int n) {
    const int row0 = polar_row(), column0 = polar_column();
    float products[4][4] = {};
    multiply_precisely<true, false>(products, left, right, n, row0, column0, upper ? 0 : column0,
                                    upper ? column0 + tile_products : int(n));
    store_tile(to, products, row0, column0, n, n);
}

// root = N, made symmetric, of carried = U·L⁻¹ and the target's Lₜᵀ and Lₜ⁻¹. Blocks of 256
// threads; grid b(b+1)/2, b = n/64.
KERNEL((polar_threads), polar_root, float *root, const float *carried, const float *target_factor,
       const float *target_inverse, Int n) {
    int row0, column0;
    lower_block(blockIdx.x, row0, column0);
    row0 *= tile_products, column0 *= tile_products;
    float products[4][4] = {}, mirrored[4][4] = {};
    multiply_precisely<true, true>(products, carried, target_inverse, n, row0, column0, 0, column0 + tile_products);
    multiply_precisely<true, true>(mirrored, target_inverse, carried, n, row0, column0, 0, row0 + tile_products);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            const Int row = row0 + tile_row() + i, column = column0 + tile_column() + j;
            const float own = target_factor[column * (n + 1)], other = target_factor[row * (n + 1)];
            const float v = (own * products[i][j] + other * mirrored[i][j]) / (own + other);
            root[row * n + column] = v;
            root[column * n + row] = v;
        }
}

// t = T, the symmetric part of Lₜ·rooted, out of its order, of rooted = N·Lₜᵀ. Blocks of 256
// threads; grid b(b+1)/2, b = n/64.
KERNEL((polar_threads), polar_map, double *t, const float *target_factor, const float *rooted, const unsigned *order,
       Int n) {
    int row0, column0;
    lower_block(blockIdx.x, row0, column0);
    row0 *= tile_products, column0 *= tile_products;
    float products[4][4] = {}, mirrored[4][4] = {};
    multiply_precisely<false, false>(products, target_factor, rooted, n, row0, column0, 0, row0 + tile_products);
    multiply_precisely<false, false>(mirrored, rooted, target_factor, n, row0, column0, 0, column0 + tile_products);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            const Int row = order[row0 + tile_row() + i], column = order[column0 + tile_column() + j];
            const double v = (double(products[i][j]) + double(mirrored[i][j])) / 2;
            t[row * n + column] = v;
            t[column * n + row] = v;
        }
}
