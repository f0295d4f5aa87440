// The squared Wasserstein-2 distance between normal distributions and its cotangent,
// package pure's Gaussian, by the iteration of package cpu's transport: Newton's for the
// geometric mean of the target's covariance and the inverse of the features', then one
// step of higher order. All in float64.
//
// An evaluation is a fixed sequence of kernels, so that it can be captured in a graph;
// steps of Newton's that turn out not to be needed return at once. With n channels,
// matrices n×n, `numbers` of the target (ridge, trace of the ridged covariance, what the
// loss is multiplied by, the least ridge of Σ in units of tr S), and `ridge` of Σ (itself,
// its derivative by each diagonal element of S, the root of its product with the target's):
//
//	gaussian_covariance         Σ of the summary, its ridge
//	dot_partials_f64            Σₜ·Σ
//	transport_begin             T = Σₜ, U = Σ, V = Σₜ⁻¹, and how far apart they are
//	4 times: invert_step…       W = U⁻¹ and, but for the first time, V = T⁻¹
//	         transport_combine  T, U
//	invert_step…                V = T⁻¹
//	transport_shift             X, Y
//	invert_step…                X⁻¹, Y⁻¹
//	transport_end               T
//	thin_product ×3             (TΣT)P of the target's probes P
//	transport_residual          how well T solves TΣT = Σₜ
//	gaussian_rows, _value       loss and cotangent
#include "elimination.h"

constexpr int gaussian_threads = 256, transport_steps = 4;

// The last step, Zolotarev's best approximation; see package cpu.
constexpr double last_spread = 1.85, last_factor = 0.19536942958330472;
constexpr double last_weight0 = 2.239036840634024, last_weight1 = 6.095581323643324;
constexpr double last_shift0 = 0.10164626999785925, last_shift1 = 1.922052128404471;

// covariance = S − μμᵀ + ridge·1, of a summary of n means, then S, and ridge (3). ordered is
// the same with rows and columns in an order: its element (i, j) is that of (order[i],
// order[j]); order and ordered may both be null. Any one-dimensional grid of blocks of 256
// threads, each of which sums up tr S.
KERNEL((gaussian_threads), gaussian_covariance, double *covariance, double *ordered, double *ridge,
       const double *summary, const double *numbers, const unsigned *order, Int n) {
    double trace = 0;
    for (Int i = threadIdx.x; i < n; i += gaussian_threads) trace += summary[n + i * (n + 1)];
    const double least = numbers[3] * block_sum<gaussian_threads>(trace);
    const bool is_least = least > numbers[0];
    const double added = is_least ? least : numbers[0];
    if (first_index() == 0) {
        ridge[0] = added;
        ridge[1] = is_least ? numbers[3] : 0;
        ridge[2] = sqrt(numbers[0] * added);
    }
    auto at = [&](Int row, Int column) {
        double v = summary[n + row * n + column] - summary[row] * summary[column];
        return row == column ? v + added : v;
    };
    for (Int i = first_index(); i < n * n; i += index_step()) {
        covariance[i] = at(i / n, i % n);
        if (ordered) ordered[i] = at(order[i / n], order[i % n]);
    }
}

// partials[block] = the block's share of Σ x·y of float64. Blocks of 256 threads; the sum
// depends on the grid.
KERNEL((gaussian_threads), dot_partials_f64, double *partials, const double *x, const double *y, Int n) {
    double sum = 0;
    for (Int i = first_index(); i < n; i += index_step()) sum += x[i] * y[i];
    sum = block_sum<gaussian_threads>(sum);
    if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

// t = target, u = covariance, v = inverse, the target's; spreads[0] = the bound on how far
// apart the iterates' factors are, √(Σₜ·Σ)/ridge[2], from count partials. Any one-dimensional
// grid of blocks of 256 threads. spreads has 5 elements.
KERNEL((gaussian_threads), transport_begin, double *t, double *u, double *v, double *spreads, const double *target,
       const double *inverse, const double *covariance, const double *partials, Int count, const double *ridge, Int n) {
    for (Int i = first_index(); i < n * n; i += index_step()) {
        t[i] = target[i];
        u[i] = covariance[i];
        v[i] = inverse[i];
    }
    if (blockIdx.x > 0) return;
    double sum = 0;
    for (Int i = threadIdx.x; i < count; i += gaussian_threads) sum += partials[i];
    sum = block_sum<gaussian_threads>(sum);
    if (threadIdx.x == 0) spreads[0] = sqrt(sum) / ridge[2];
}

// One step of inverting symmetric positive definite matrices by Gauss and Jordan, 32 rows
// a step. After ⌈n/32⌉ steps, from 0 on, each from the last one's to, to is the inverse.
// Blocks make 64×64 of it, above the diagonal, too: the mean of both triangles is more exact
// than either. The last block looks ahead: it makes the next step's pivot, 32×32, and inverts
// it, so that this, the longest part of a step, happens beside the rest.
// Inverts a pivot of which this thread has the elements (row, first … first+3): two rows
// and columns at a time, one barrier each.
__device__ inline void invert_pivot(double (&mine)[4], int row, int first) {
    __shared__ double pivot_rows[2][2][pivot_edge], pivot_columns[2][2][pivot_edge];
    auto show = [&](int p) {
        const int slot = p / 2 % 2;
        if (row / 2 == p / 2)
            for (int i = 0; i < 4; i++) pivot_rows[slot][row % 2][first + i] = mine[i];
#pragma unroll
        for (int i = 0; i < 4; i++)
            if ((first + i) / 2 == p / 2) pivot_columns[slot][i % 2][row] = mine[i];
    };
    show(0);
    for (int p = 0; p < pivot_edge; p += 2) {
        __syncthreads();
        const auto &rows = pivot_rows[p / 2 % 2];
        const double a = rows[0][p], b = rows[0][p + 1], c = rows[1][p], d = rows[1][p + 1];
        const double inverse = quick_inverse(a * d - b * c);
        const double factor0 = pivot_columns[p / 2 % 2][0][row], factor1 = pivot_columns[p / 2 % 2][1][row];
        // What this row has of the pair of pivot rows, or is made of them.
        double share0 = (factor0 * d - factor1 * c) * inverse, share1 = (factor1 * a - factor0 * b) * inverse;
        if (row == p) share0 = d * inverse, share1 = -b * inverse;
        if (row == p + 1) share0 = -c * inverse, share1 = a * inverse;
        const bool of_pair = row / 2 == p / 2;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const double made = share0 * rows[0][first + i] + share1 * rows[1][first + i];
            const double at_pair = (first + i) % 2 == 0 ? share0 : share1;
            if ((first + i) / 2 == p / 2)
                mine[i] = of_pair ? at_pair : -at_pair;
            else
                mine[i] = of_pair ? made : mine[i] - made;
        }
        if (p + 2 < pivot_edge) show(p + 2);
    }
}

// pivots: the inverse pivots of this step and of the next, by turns.
__device__ inline void invert_step_of(double *to, const double *from, double *pivots, int n, int step) {
    __shared__ double pivot[pivot_edge][pivot_edge + 1];
    __shared__ double left[invert_edge][pivot_edge + 1];
    __shared__ double above[pivot_edge][invert_edge];
    const int thread = threadIdx.x, first = step * pivot_edge, edge = (n + invert_edge - 1) / invert_edge;
    const bool ahead = int(blockIdx.x) == edge * edge;
    if (ahead && first + pivot_edge >= n) return;
    // Where this block's rows and columns begin: one looks ahead at the next pivot's.
    const int row0 = ahead ? first + pivot_edge : int(blockIdx.x) / edge * invert_edge;
    const int column0 = ahead ? first + pivot_edge : int(blockIdx.x) % edge * invert_edge;
    auto at = [&](int row, int column) { return row < n && column < n ? from[Int(row) * n + column] : 0.; };
    auto is_pivot = [&](int i) { return i >= first && i < first + pivot_edge; };
    // Rows beyond the matrix are those of the identity.
    auto pivot_at = [&](int row, int column, double value) {
        return row < n && column < n ? value : double(row == column);
    };
    const int pivot_row = thread / 8, pivot_column = thread % 8 * 4;
    double mine[4];
    if (step == 0) {
        for (int i = 0; i < 4; i++) mine[i] = pivot_at(pivot_row, pivot_column + i, at(pivot_row, pivot_column + i));
        invert_pivot(mine, pivot_row, pivot_column);
    } else {
        const double *known = pivots + step % 2 * pivot_size;
        for (int i = 0; i < 4; i++) mine[i] = known[pivot_row * pivot_edge + pivot_column + i];
    }
    for (int i = 0; i < 4; i++) pivot[pivot_row][pivot_column + i] = mine[i];
    for (int i = thread; i < invert_edge * pivot_edge; i += gaussian_threads)
        left[i / pivot_edge][i % pivot_edge] = at(row0 + i / pivot_edge, first + i % pivot_edge);
    // above: the pivot rows, with the identity in the place of the pivot.
    for (int i = thread; i < invert_edge * pivot_edge; i += gaussian_threads) {
        int row = i / invert_edge, column = column0 + i % invert_edge;
        above[row][i % invert_edge] = is_pivot(column) ? double(column - first == row) : at(first + row, column);
    }
    __syncthreads();
    const int row = thread / 16 * 4, column = thread % 16 * 4;
    multiply_pivot(above, pivot);
    if (ahead) {
        double next[4];
        for (int i = 0; i < 4; i++) next[i] = at(row0 + pivot_row, column0 + pivot_column + i);
        for (int k = 0; k < pivot_edge; k++)
            for (int i = 0; i < 4; i++) next[i] -= left[pivot_row][k] * above[k][pivot_column + i];
        for (int i = 0; i < 4; i++) next[i] = pivot_at(row0 + pivot_row, column0 + pivot_column + i, next[i]);
        invert_pivot(next, pivot_row, pivot_column);
        double *known = pivots + (step + 1) % 2 * pivot_size;
        for (int i = 0; i < 4; i++) known[pivot_row * pivot_edge + pivot_column + i] = next[i];
        return;
    }
    double sums[4][4];
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            int r = row0 + row + i, c = column0 + column + j;
            sums[i][j] = is_pivot(c) ? 0 : at(r, c);
        }
    eliminate(sums, left, above, row, column);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            int r = row0 + row + i, c = column0 + column + j;
            if (r < n && c < n) to[Int(r) * n + c] = is_pivot(r) ? above[r - first][column + j] : sums[i][j];
        }
}

// to0 from from0 and, in blocks of z = 1, to1 from from1. pivots: 4,096 elements, what a step
// leaves for the next. spread: null, or the step is left out where the iteration is near
// enough to its end. Blocks of 256 threads; grid (⌈n/64⌉² + 1, 1, 1 or 2).
KERNEL((gaussian_threads), invert_step, double *to0, const double *from0, double *to1, const double *from1,
       double *pivots, const double *spread, Int n, Int step) {
    if (spread && !(*spread > last_spread)) return;
    const bool second = blockIdx.z == 1;
    invert_step_of(second ? to1 : to0, second ? from1 : from0, pivots + blockIdx.z * 2 * pivot_size, int(n), int(step));
}

// The symmetric part of element i of an n×n matrix.
__device__ inline double symmetric_at(const double *matrix, Int i, Int n) {
    return (matrix[i] + matrix[i % n * n + i / n]) / 2;
}

// Step number step of the iteration, T ← ½(μT + (μU)⁻¹), U ← ½(μU + (μT)⁻¹), where v is T⁻¹
// and w is U⁻¹; and spreads[step+1]. Any one-dimensional grid of blocks of 256 threads.
KERNEL((gaussian_threads), transport_combine, double *t, double *u, double *spreads, const double *v, const double *w,
       const double *ridge, Int n, Int step) {
    const double spread = spreads[step], root = sqrt(spread), least = step == 0 ? ridge[2] : 1;
    const bool needed = spread > last_spread;
    const double scale = 1 / (least * root);
    for (Int i = first_index(); needed && i < n * n; i += index_step()) {
        t[i] = scale / 2 * t[i] + 0.5 / scale * symmetric_at(w, i, n);
        u[i] = scale / 2 * u[i] + 0.5 / scale * symmetric_at(v, i, n);
    }
    if (first_index() == 0) spreads[step + 1] = needed ? (root + 1 / root) / 2 : spread;
}

// What T and U are multiplied by in the last step.
__device__ inline double last_scale(const double *spreads, const double *ridge) {
    double least = spreads[0] > last_spread ? 1 : ridge[2];
    return 1 / (least * sqrt(spreads[transport_steps]));
}

// x = scale·U + shift0/scale·V, y likewise with shift1, where v is T⁻¹. Any one-dimensional
// grid of blocks of 256 threads.
KERNEL((gaussian_threads), transport_shift, double *x, double *y, const double *u, const double *v,
       const double *spreads, const double *ridge, Int n) {
    const double scale = last_scale(spreads, ridge);
    for (Int i = first_index(); i < n * n; i += index_step()) {
        double inverse = symmetric_at(v, i, n) / scale;
        x[i] = scale * u[i] + last_shift0 * inverse;
        y[i] = scale * u[i] + last_shift1 * inverse;
    }
}

// t = the transport map, from t, x = X⁻¹ and y = Y⁻¹. Any one-dimensional grid of blocks of
// 256 threads.
KERNEL((gaussian_threads), transport_end, double *t, const double *x, const double *y, const double *spreads,
       const double *ridge, Int n) {
    const double scale = last_scale(spreads, ridge);
    for (Int i = first_index(); i < n * n; i += index_step())
        t[i] =
            last_factor * (scale * t[i] + last_weight0 * symmetric_at(x, i, n) + last_weight1 * symmetric_at(y, i, n));
}

constexpr int thin_columns = 16;

// y (n×16) = matrix (n×n) · thin (n×16). Blocks of 256 threads; grid ⌈n/16⌉.
KERNEL((gaussian_threads), thin_product, double *y, const double *matrix, const double *thin, Int n) {
    __shared__ double tile[thin_columns][thin_columns + 1], part[thin_columns][thin_columns];
    const int row = threadIdx.x / thin_columns, column = threadIdx.x % thin_columns;
    const Int at = Int(blockIdx.x) * thin_columns + row;
    double sum = 0;
    for (Int k0 = 0; k0 < n; k0 += thin_columns) {
        tile[row][column] = at < n && k0 + column < n ? matrix[at * n + k0 + column] : 0;
        part[row][column] = k0 + row < n ? thin[(k0 + row) * thin_columns + column] : 0;
        __syncthreads();
        for (int k = 0; k < thin_columns; k++) sum += tile[row][k] * part[k][column];
        __syncthreads();
    }
    if (at < n) y[at * thin_columns + column] = sum;
}

// *residual = |moved − probed| / |probed| in the Frobenius norm; both n×16. T is good
// enough where this is 5e-5 or less. One block of 256 threads.
KERNEL((gaussian_threads), transport_residual, double *residual, const double *moved, const double *probed, Int n) {
    double difference = 0, size = 0;
    for (Int i = threadIdx.x; i < n * thin_columns; i += gaussian_threads) {
        double d = moved[i] - probed[i];
        difference += d * d;
        size += probed[i] * probed[i];
    }
    difference = block_sum<gaussian_threads>(difference);
    size = block_sum<gaussian_threads>(size);
    if (threadIdx.x == 0) *residual = sqrt(difference / size);
}

// cotangent (n + n²) = *grad·the derivative by summary, row by row, and values[row] = what
// the row contributes to the loss. target_mean: n. Blocks of 256 threads, a warp a row; grid
// ⌈n/8⌉.
KERNEL((gaussian_threads), gaussian_rows, double *cotangent, double *values, const double *summary,
       const double *target_mean, const double *t, const double *covariance, const double *numbers,
       const double *ridge, const double *grad, Int n) {
    const Int row = first_index() / warp_size;
    if (row >= n) return;
    const int lane = threadIdx.x % warp_size;
    const double scale = numbers[2], mean = summary[row], d = mean - target_mean[row];
    double one = 1, moved = 0, cross = 0;
    if (ridge[1] > 0) { // which moves with the diagonal of S, and the loss by n − tr T with it
        double trace = 0;
        for (Int j = lane; j < n; j += warp_size) trace += t[j * (n + 1)];
        one += ridge[1] * (double(n) - warp_sum(trace));
    }
    for (Int j = lane; j < n; j += warp_size) {
        double v = t[row * n + j];
        cotangent[n + row * n + j] = *grad * (scale * ((j == row ? one : 0) - v));
        moved += v * summary[j];
        cross += v * covariance[row * n + j];
    }
    moved = warp_sum(moved);
    cross = warp_sum(cross);
    if (lane > 0) return;
    // As Σ = S − μμᵀ and the ridge of S, the mean's cotangent takes −2·∂Σ·μ.
    cotangent[row] = *grad * (2 * scale * (d - mean + moved));
    values[row] = covariance[row * n + row] - 2 * cross + d * d;
}

// *value = the loss. One block of 256 threads.
KERNEL((gaussian_threads), gaussian_value, double *value, const double *values, const double *numbers, Int n) {
    double sum = 0;
    for (Int i = threadIdx.x; i < n; i += gaussian_threads) sum += values[i];
    sum = block_sum<gaussian_threads>(sum) + numbers[1];
    if (threadIdx.x == 0) *value = numbers[2] * (sum < 0 ? 0 : sum);
}
