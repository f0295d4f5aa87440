// All pairs of points of two clouds, without ever keeping what is found of each (package
// cpu/pairwise): a tile of products x·y is made on the matrix units, and what becomes of it
// is worked out while it is in registers.
//
// A cloud is points × depth of float32, depth a multiple of 16, zeros beyond the channels.
// Products are TF32, of clouds that are rounded to that, which makes each product exact; or,
// of kernels that end with _f32, made of three TF32 products each, which leaves out 2⁻²¹ of
// them.
//
// Blocks go through 128 rows and all columns of a part, 128 at a time, in slices of 16
// channels: eight warps of 64×32 products as in convolution_matrix.cu. Rows of 128 channels
// or less stay in shared memory, so that per slice and block 8 KB come for 524,288
// multiplications. Threads keep sums of their own for the 8 rows that they have products of,
// and put them together at the end only.
#include "device.h"

constexpr int pair_threads = 256, pair_edge = 128, pair_slice = 16, pair_stages = 4;
constexpr int pair_slice_bytes = pair_edge * 64, most_resident = 8;

// Where split, words become rounded to TF32 and rest what that leaves of them.
template <bool split, int count>
__device__ __forceinline__ void split_words(unsigned (&words)[count], unsigned (&rest)[count]) {
    for (int i = 0; split && i < count; i++) {
        unsigned rounded = round_tf32(words[i]);
        rest[i] = round_tf32(__float_as_uint(__uint_as_float(words[i]) - __uint_as_float(rounded)));
        words[i] = rounded;
    }
}

// sums += a·b in TF32 or, where split, to float32's precision nearly. b_rest is used if split.
template <bool split>
__device__ __forceinline__ void multiply_pairs(float (&sums)[4], const unsigned (&a)[4], const unsigned (&a_rest)[4],
                                               const unsigned (&b)[2], const unsigned (&b_rest)[2]) {
    if constexpr (split) {
        multiply_add<float>(sums, a_rest, b);
        multiply_add<float>(sums, a, b_rest);
    }
    multiply_add<float>(sums, a, b);
}

// Where the products of a thread are: row and column number k of tile (i, j) of its warp's.
__device__ __forceinline__ int pair_row(int i, int k) {
    return threadIdx.x / warp_size % 2 * 64 + 16 * i + threadIdx.x % warp_size / 4 + k / 2 * 8;
}
__device__ __forceinline__ int pair_column(int j, int k) {
    return threadIdx.x / warp_size / 2 * 32 + 8 * j + threadIdx.x % 4 * 2 + k % 2;
}

// Loads slice k's words of columns first … first+15, as right operands, split as by split_words.
template <bool split>
__device__ __forceinline__ void load_columns(unsigned (&b)[2][2], unsigned (&b_rest)[2][2],
                                             const unsigned char *columns, int first, int k) {
    const int lane = threadIdx.x % warp_size;
    unsigned pair[4], rest[4] = {};
    load_matrices(pair, columns + piece_at(first + lane % 8 + lane / 16 * 8, 2 * k + lane / 8 % 2));
    split_words<split>(pair, rest);
    for (int p = 0; p < 4; p++) b[p / 2][p % 2] = pair[p], b_rest[p / 2][p % 2] = rest[p];
}

struct Clouds {
    const float *x, *y;
    int n, m, depth;
};

// Calls take(sums, first column) for every 128 columns of the block's part.
template <bool split, class Take> __device__ void all_pairs(const Clouds c, unsigned char *shared, Take take) {
    const int thread = threadIdx.x, lane = thread % warp_size, warp = thread / warp_size;
    const int slices = c.depth / pair_slice, tiles = (c.m + pair_edge - 1) / pair_edge;
    const int tile0 = int(Int(tiles) * blockIdx.y / gridDim.y), tile1 = int(Int(tiles) * (blockIdx.y + 1) / gridDim.y);
    const bool resident = slices <= most_resident;
    const int row_slots = resident ? slices : pair_stages, steps = (tile1 - tile0) * slices;
    unsigned char *const column_slots = shared + row_slots * pair_slice_bytes;

    auto copy = [&](int step) {
        const int tile = tile0 + step / slices, slice = step % slices, piece = thread % 4;
        unsigned char *rows = shared + step % row_slots * pair_slice_bytes;
        unsigned char *columns = column_slots + step % pair_stages * pair_slice_bytes;
        for (int i = thread / 4; i < pair_edge; i += pair_threads / 4) {
            int row = blockIdx.x * pair_edge + i, column = tile * pair_edge + i;
            int channel = slice * pair_slice + piece * 4;
            if (!resident || step < slices)
                copy_async(rows + piece_at(i, piece), c.x + (row < c.n ? Int(row) * c.depth + channel : 0), row < c.n);
            copy_async(columns + piece_at(i, piece), c.y + (column < c.m ? Int(column) * c.depth + channel : 0),
                       column < c.m);
        }
    };

    float sums[4][4][4] = {};
    for (int i = 0; i < pair_stages - 1; i++) {
        if (i < steps) copy(i);
        copy_commit();
    }
    const int row0 = warp % 2 * 64, column0 = warp / 2 * 32;
    for (int step = 0, slice = 0, tile = tile0; step < steps; step++) {
        copy_wait<pair_stages - 2>();
        __syncthreads();
        if (step + pair_stages - 1 < steps) copy(step + pair_stages - 1);
        copy_commit();
        const unsigned char *rows = shared + step % row_slots * pair_slice_bytes;
        const unsigned char *columns = column_slots + step % pair_stages * pair_slice_bytes;
#pragma unroll
        for (int k = 0; k < 2; k++) {
            unsigned b[2][2][2], b_rest[2][2][2];
#pragma unroll
            for (int j = 0; j < 2; j++) load_columns<split>(b[j], b_rest[j], columns, column0 + 16 * j, k);
#pragma unroll
            for (int i = 0; i < 4; i++) {
                unsigned a[4], a_rest[4] = {};
                load_matrices(a, rows + piece_at(row0 + 16 * i + lane % 16, 2 * k + lane / 16));
                split_words<split>(a, a_rest);
#pragma unroll
                for (int j = 0; j < 4; j++)
                    multiply_pairs<split>(sums[i][j], a, a_rest, b[j / 2][j % 2], b_rest[j / 2][j % 2]);
            }
        }
        if (++slice < slices) continue;
        take(sums, tile * pair_edge);
        slice = 0;
        tile++;
#pragma unroll
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++)
                for (int k = 0; k < 4; k++) sums[i][j][k] = 0;
    }
    copy_wait<0>();
    __syncthreads();
}

// Puts together what the 16 threads have that have products of a row: Value is of one
// thread and row, mine its 8; finish(row, values, 16) is called once a row.
template <class Value, class Finish>
__device__ void each_row(unsigned char *shared, const Value (&mine)[4][2], int n, Finish finish) {
    auto all = reinterpret_cast<Value(*)[17]>(shared);
    const int slot = threadIdx.x / warp_size / 2 * 4 + threadIdx.x % 4;
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 2; k++) all[pair_row(i, 2 * k)][slot] = mine[i][k];
    __syncthreads();
    const int row = blockIdx.x * pair_edge + threadIdx.x;
    if (threadIdx.x < pair_edge && row < n) finish(row, all[threadIdx.x]);
}

constexpr float beyond = -1e30f, least_float = -3.402823466e38f;

__device__ __forceinline__ bool stopped(const double *stop) { return stop && *stop != 0; }

// logs (parts × n) = log₂ Σ_j 2^(*scale·(x_i·y_j + bias_j)) over each part of the columns, for
// softmin; bias: m of float32. stop: null, or nothing is done where it isn't zero.
//
// Blocks of 256 threads; grid (⌈n/128⌉, parts); dynamic shared memory for depth d: 32 KB +
// 8 KB·(d/16 if d ≤ 128, else 4).
struct LogSum {
    float most, sum;
};
template <bool split>
__device__ void log_sums(double *logs, const Clouds c, const float *bias, const double *scale, const double *stop) {
    DYNAMIC_SHARED(unsigned char, shared);
    if (stopped(stop)) return;
    const float factor = float(*scale);
    LogSum mine[4][2];
    for (auto &row : mine) row[0] = row[1] = {least_float, 0.f};
    all_pairs<split>(c, shared, [&](const float(&sums)[4][4][4], int column0) {
        float shift[4][2];
        for (int j = 0; j < 4; j++)
            for (int k = 0; k < 2; k++) {
                int column = column0 + pair_column(j, k);
                shift[j][k] = factor * (column < c.m ? bias[column] : beyond);
            }
        for (int i = 0; i < 4; i++)
            for (int r = 0; r < 2; r++) {
                LogSum &row = mine[i][r];
                float v[8], most = row.most;
                for (int j = 0; j < 4; j++)
                    for (int k = 0; k < 2; k++) {
                        v[2 * j + k] = factor * sums[i][j][2 * r + k] + shift[j][k];
                        most = fmaxf(most, v[2 * j + k]);
                    }
                float sum = row.sum * quick_exp2(row.most - most);
                for (float value : v) sum += quick_exp2(value - most);
                row = {most, sum};
            }
    });
    each_row(shared, mine, c.n, [&](int row, const LogSum *values) {
        float most = values[0].most;
        for (int i = 1; i < 16; i++) most = fmaxf(most, values[i].most);
        double sum = 0;
        for (int i = 0; i < 16; i++) sum += double(values[i].sum) * exp2(double(values[i].most) - double(most));
        logs[Int(blockIdx.y) * c.n + row] = double(most) + log2(sum);
    });
}

// sums (parts × n) = Σ_j k(2^(*scale·(x_i·y_j + bias_j + row_bias_i))) over each part of the
// columns, where k(u) = u + u² + u⁴ + u⁸ + u¹⁶; an exponent above zero, which a distance has
// by rounding only, counts as zero. Blocks and grid as of log_sums.
template <bool split>
__device__ void mixture_sums(double *out, const Clouds c, const float *row_bias, const float *bias,
                             const double *scale) {
    DYNAMIC_SHARED(unsigned char, shared);
    const float factor = float(*scale);
    float mine[4][2] = {}, shift[4][2];
    for (int i = 0; i < 4; i++)
        for (int r = 0; r < 2; r++) {
            int row = blockIdx.x * pair_edge + pair_row(i, 2 * r);
            shift[i][r] = row < c.n ? row_bias[row] : beyond;
        }
    all_pairs<split>(c, shared, [&](const float(&sums)[4][4][4], int column0) {
        for (int j = 0; j < 4; j++)
            for (int k = 0; k < 2; k++) {
                int column = column0 + pair_column(j, k);
                float b = column < c.m ? bias[column] : beyond;
                for (int i = 0; i < 4; i++)
                    for (int r = 0; r < 2; r++) {
                        float u = quick_exp2(fminf(factor * (sums[i][j][2 * r + k] + b + shift[i][r]), 0.f));
                        float u2 = u * u, u4 = u2 * u2, u8 = u4 * u4;
                        mine[i][r] += u + u2 + u4 + u8 + u8 * u8;
                    }
            }
    });
    each_row(shared, mine, c.n, [&](int row, const float *values) {
        double sum = 0;
        for (int i = 0; i < 16; i++) sum += double(values[i]);
        out[Int(blockIdx.y) * c.n + row] = sum;
    });
}

// The column y_j with the greatest x_i·y_j + bias_j, the first of several: values and indices
// (parts × n) over each part of the columns; bias may be null. Where there is no number among
// them the index is 0. Blocks and grid as of log_sums.
struct Candidate {
    float value;
    int index;
};
template <bool split> __device__ void greatest(float *values, int *indices, const Clouds c, const float *bias) {
    DYNAMIC_SHARED(unsigned char, shared);
    Candidate mine[4][2];
    for (auto &row : mine) row[0] = row[1] = {least_float, 0};
    all_pairs<split>(c, shared, [&](const float(&sums)[4][4][4], int column0) {
        for (int j = 0; j < 4; j++)
            for (int k = 0; k < 2; k++) {
                int column = column0 + pair_column(j, k);
                if (column >= c.m) continue;
                float b = bias ? bias[column] : 0.f;
                for (int i = 0; i < 4; i++)
                    for (int r = 0; r < 2; r++) {
                        float v = sums[i][j][2 * r + k] + b;
                        if (v > mine[i][r].value) mine[i][r] = {v, column};
                    }
            }
    });
    each_row(shared, mine, c.n, [&](int row, const Candidate *all) {
        Candidate best = all[0];
        for (int i = 1; i < 16; i++)
            if (all[i].value > best.value || (all[i].value == best.value && all[i].index < best.index)) best = all[i];
        values[Int(blockIdx.y) * c.n + row] = best.value;
        indices[Int(blockIdx.y) * c.n + row] = best.index;
    });
}

#define PAIRS(suffix, split, bounds)                                                                                   \
    KERNEL(bounds, log_sums_##suffix, double *logs, const float *x, const float *y, const float *bias,                 \
           const double *scale, const double *stop, Int n, Int m, Int depth) {                                         \
        log_sums<split>(logs, {x, y, int(n), int(m), int(depth)}, bias, scale, stop);                                  \
    }                                                                                                                  \
    KERNEL(bounds, mixture_sums_##suffix, double *sums, const float *x, const float *y, const float *row_bias,         \
           const float *bias, const double *scale, Int n, Int m, Int depth) {                                          \
        mixture_sums<split>(sums, {x, y, int(n), int(m), int(depth)}, row_bias, bias, scale);                          \
    }                                                                                                                  \
    KERNEL(bounds, greatest_##suffix, float *values, int *indices, const float *x, const float *y, const float *bias,  \
           Int n, Int m, Int depth) {                                                                                  \
        greatest<split>(values, indices, {x, y, int(n), int(m), int(depth)}, bias);                                    \
    }
PAIRS(tf32, false, (pair_threads, 2))
PAIRS(f32, true, (pair_threads))
#undef PAIRS

// What columns weigh for rows, and their weighted sums. Blocks go through 128 rows and all
// columns, 64 at a time; a warp has 16 rows with all of these, so that its weights, as they
// lie in registers, are the left operand of the second product. A block makes 64 channels
// of the sums.
constexpr int pull_columns = 64, pull_pitch = pull_columns + 4;

// w_ij = 2^v with v = *scale·(x_i·y_j + bias_i + column_bias_j), or, of a mixture, u + 2u² +
// 4u⁴ + 8u⁸ + 16u¹⁶ with u = 2^min(v, 0). pulled (n × depth) = Σ_j w_ij·y_j, mass (n) = Σ_j
// w_ij.
//
// depth a multiple of 16. Blocks of 256 threads; grid (⌈n/128⌉, ⌈depth/64⌉); 66,560 bytes of
// dynamic shared memory.
template <bool split, bool mixture>
__device__ void pull(float *pulled, float *mass, const Clouds c, const float *row_bias, const float *column_bias,
                     const double *scale) {
    constexpr int row_bytes = pair_edge * 64, column_bytes = pull_columns * 64, stages = 4;
    DYNAMIC_SHARED(unsigned char, shared);
    unsigned char *const column_slots = shared + stages * row_bytes;
    float *const values = reinterpret_cast<float *>(column_slots + stages * column_bytes);
    const int thread = threadIdx.x, lane = thread % warp_size, warp = thread / warp_size, row0 = warp * 16;
    const int slices = c.depth / pair_slice, tiles = (c.m + pull_columns - 1) / pull_columns, steps = tiles * slices;
    const int channel0 = blockIdx.y * pull_columns;
    const float factor = float(*scale);

    auto copy = [&](int step) {
        const int tile = step / slices, slice = step % slices, piece = thread % 4,
                  channel = slice * pair_slice + piece * 4;
        for (int i = thread / 4; i < pair_edge; i += pair_threads / 4) {
            int row = blockIdx.x * pair_edge + i;
            copy_async(shared + step % stages * row_bytes + piece_at(i, piece),
                       c.x + (row < c.n ? Int(row) * c.depth + channel : 0), row < c.n);
        }
        int i = thread / 4, column = tile * pull_columns + i;
        copy_async(column_slots + step % stages * column_bytes + piece_at(i, piece),
                   c.y + (column < c.m ? Int(column) * c.depth + channel : 0), column < c.m);
    };

    float row_shift[2], masses[2] = {};
    for (int r = 0; r < 2; r++) {
        int row = blockIdx.x * pair_edge + row0 + lane / 4 + 8 * r;
        row_shift[r] = row < c.n ? row_bias[row] : beyond;
    }
    float sums[8][4] = {}, totals[8][4] = {};
    for (int i = 0; i < stages - 1; i++) {
        if (i < steps) copy(i);
        copy_commit();
    }
    for (int step = 0, slice = 0, column0 = 0; step < steps; step++) {
        copy_wait<stages - 2>();
        __syncthreads();
        if (slice == 0) // the values of this tile, for the second product
            for (int i = thread; i < pull_columns * pull_columns; i += pair_threads) {
                int column = column0 + i / pull_columns, channel = channel0 + i % pull_columns;
                values[i / pull_columns * pull_pitch + i % pull_columns] =
                    column < c.m && channel < c.depth ? c.y[Int(column) * c.depth + channel] : 0.f;
            }
        if (step + stages - 1 < steps) copy(step + stages - 1);
        copy_commit();
        const unsigned char *rows = shared + step % stages * row_bytes;
        const unsigned char *columns = column_slots + step % stages * column_bytes;
#pragma unroll
        for (int k = 0; k < 2; k++) {
            unsigned a[4], a_rest[4] = {};
            load_matrices(a, rows + piece_at(row0 + lane % 16, 2 * k + lane / 16));
            split_words<split>(a, a_rest);
#pragma unroll
            for (int j = 0; j < 8; j += 2) {
                unsigned b[2][2], b_rest[2][2];
                load_columns<split>(b, b_rest, columns, 8 * j, k);
                for (int p = 0; p < 2; p++) multiply_pairs<split>(sums[j + p], a, a_rest, b[p], b_rest[p]);
            }
        }
        if (++slice < slices) continue;
        slice = 0;
        __syncthreads(); // the tile's values are there; with one slice they came in this step
#pragma unroll
        for (int j = 0; j < 8; j++) {
            unsigned a[4], a_rest[4] = {};
            for (int k = 0; k < 4; k++) {
                int column = column0 + 8 * j + lane % 4 * 2 + k % 2;
                float b = column < c.m ? column_bias[column] : beyond;
                float v = factor * (sums[j][k] + row_shift[k / 2] + b), w;
                if constexpr (mixture) {
                    float u = quick_exp2(fminf(v, 0.f)), u2 = u * u, u4 = u2 * u2, u8 = u4 * u4;
                    w = u + 2 * u2 + 4 * u4 + 8 * u8 + 16 * (u8 * u8);
                } else {
                    w = quick_exp2(v);
                }
                masses[k / 2] += w;
                sums[j][k] = 0;
                // Column 2t of the weights is number t of the product's depth, column 2t+1 number
                // t+4: its operand has the words (g, t), (g+8, t), (g, t+4), (g+8, t+4).
                a[k % 2 * 2 + k / 2] = split ? __float_as_uint(w) : round_tf32(__float_as_uint(w));
            }
            split_words<split>(a, a_rest);
#pragma unroll
            for (int channel = 0; channel < 8; channel++) {
                const float *at = values + (8 * j + lane % 4 * 2) * pull_pitch + 8 * channel + lane / 4;
                unsigned b[2] = {__float_as_uint(at[0]), __float_as_uint(at[pull_pitch])}, b_rest[2] = {};
                split_words<split>(b, b_rest);
                multiply_pairs<split>(totals[channel], a, a_rest, b, b_rest);
            }
        }
        column0 += pull_columns;
        __syncthreads(); // before the next tile's values come
    }
    copy_wait<0>();
    for (int r = 0; r < 2; r++) {
        float sum = masses[r];
        sum += __shfl_xor_sync(all_lanes, sum, 1);
        sum += __shfl_xor_sync(all_lanes, sum, 2);
        int row = blockIdx.x * pair_edge + row0 + lane / 4 + 8 * r;
        if (row >= c.n) continue;
        if (blockIdx.y == 0 && lane % 4 == 0) mass[row] = sum;
        for (int channel = 0; channel < 8; channel++)
            for (int k = 0; k < 2; k++) {
                int at = channel0 + 8 * channel + lane % 4 * 2 + k;
                if (at < c.depth) pulled[Int(row) * c.depth + at] = totals[channel][2 * r + k];
            }
    }
}
#define PULL(suffix, split)                                                                                            \
    KERNEL((pair_threads), pull_##suffix, float *pulled, float *mass, const float *x, const float *y,                  \
           const float *row_bias, const float *column_bias, const double *scale, Int n, Int m, Int depth) {            \
        pull<split, false>(pulled, mass, {x, y, int(n), int(m), int(depth)}, row_bias, column_bias, scale);            \
    }                                                                                                                  \
    KERNEL((pair_threads), pull_mixture_##suffix, float *pulled, float *mass, const float *x, const float *y,          \
           const float *row_bias, const float *column_bias, const double *scale, Int n, Int m, Int depth) {            \
        pull<split, true>(pulled, mass, {x, y, int(n), int(m), int(depth)}, row_bias, column_bias, scale);             \
    }
PULL(tf32, false)
PULL(f32, true)
#undef PULL
