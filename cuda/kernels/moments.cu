// Summaries of maps by moments, and what is pulled back through them. A map is
// positions × channels.
#include "finish.h"
#include "tile.h"

constexpr int channel_edge = 32, channel_rows = 8;

// Sums over a part of the positions, one block's, of count powers of 32 channels less a
// centre, from the power first on. A thread has width neighbouring channels of every so
// many positions: 16 bytes at a time where channels allow it.
template <int first, int count, int width, class T>
__device__ void channel_sums_by(double *partials, const T *x, const double *centre, Int channels, Int positions) {
    constexpr int threads = channel_edge * channel_rows, groups = channel_edge / width, rows = threads / groups;
    __shared__ double sums[rows][channel_edge];
    const int thread = threadIdx.y * channel_edge + threadIdx.x, group = thread % groups, row = thread / groups;
    const Int channel = Int(blockIdx.x) * channel_edge + group * width;
    const Int begin = positions * blockIdx.y / gridDim.y, end = positions * (blockIdx.y + 1) / gridDim.y;
    double mine[count][width] = {}, middle[width];
    if (channel < channels) {
        for (int i = 0; i < width; i++) middle[i] = centre ? centre[channel + i] : 0;
#pragma unroll 4
        for (Int p = begin + row; p < end; p += rows) {
            alignas(16) T values[width];
            load_some(values, x + p * channels + channel);
            for (int i = 0; i < width; i++) {
                double d = double(to_float(values[i])) - middle[i], power = first == 1 ? d : d * d;
                for (int k = 0; k < count; k++, power *= d) mine[k][i] += power;
            }
        }
    }
    for (int k = 0; k < count; k++) {
        __syncthreads();
        for (int i = 0; i < width; i++) sums[row][group * width + i] = mine[k][i];
        __syncthreads();
        // A warp a row of the block adds up its share of the rows, and one all shares.
        double sum = 0;
        for (int i = threadIdx.y; i < rows; i += channel_rows) sum += sums[i][threadIdx.x];
        __syncthreads();
        sums[threadIdx.y][threadIdx.x] = sum;
        __syncthreads();
        const Int to = Int(blockIdx.x) * channel_edge + threadIdx.x;
        if (threadIdx.y > 0 || to >= channels) continue;
        for (int i = 1; i < channel_rows; i++) sum += sums[i][threadIdx.x];
        partials[(Int(blockIdx.y) * count + k) * channels + to] = sum;
    }
}

template <int first, int count, class T>
__device__ void channel_sums(double *partials, const T *x, const double *centre, Int channels, Int positions) {
    if (channels % Wide<T>::count == 0 && starts_wide(x))
        channel_sums_by<first, count, Wide<T>::count>(partials, x, centre, channels, positions);
    else
        channel_sums_by<first, count, 1>(partials, x, centre, channels, positions);
}

// partials (parts × count × channels) = sums over each part of the positions of
//
//	channel_sums_…     x                 count 1
//	channel_squares_…  x, x²             count 2
//	channel_powers_…   d², d³, d⁴, d⁵    count 4, with d = x − centre (channels)
//
// which sum_rows puts together. Blocks of 32×8 threads; grid (⌈channels/32⌉, parts).
#define CHANNEL_SUMS(suffix, T)                                                                                        \
    KERNEL((channel_edge * channel_rows), channel_sums_##suffix, double *partials, const T *x, Int channels,           \
           Int positions) {                                                                                            \
        channel_sums<1, 1>(partials, x, nullptr, channels, positions);                                                 \
    }                                                                                                                  \
    KERNEL((channel_edge * channel_rows), channel_squares_##suffix, double *partials, const T *x, Int channels,        \
           Int positions) {                                                                                            \
        channel_sums<1, 2>(partials, x, nullptr, channels, positions);                                                 \
    }                                                                                                                  \
    KERNEL((channel_edge * channel_rows), channel_powers_##suffix, double *partials, const T *x, const double *centre, \
           Int channels, Int positions) {                                                                              \
        channel_sums<2, 4>(partials, x, centre, channels, positions);                                                  \
    }
CHANNEL_SUMS(f32, float)
CHANNEL_SUMS(f16, f16)
CHANNEL_SUMS(bf16, bf16)
#undef CHANNEL_SUMS

// Σ over rows of from[row·count + i], in one order: eight threads take every eighth row. To
// the first of them; i may be beyond count. For blocks of 256 threads, which have 32 numbers
// i next to each other: the thread's is i0 + threadIdx.x%32.
__device__ inline double sum_of_rows(const double *from, Int rows, Int count, Int i) {
    __shared__ double sums[channel_rows][channel_edge];
    const int part = threadIdx.x / channel_edge, column = threadIdx.x % channel_edge;
    block_is_of(channel_edge * channel_rows);
    double sum = 0;
#pragma unroll 4
    for (Int row = part; i < count && row < rows; row += channel_rows) sum += from[row * count + i];
    __syncthreads();
    sums[part][column] = sum;
    __syncthreads();
    for (int k = 1; part == 0 && k < channel_rows; k++) sum += sums[k][column];
    return sum;
}

// result[i] = factor·Σ over rows of partials[row·count + i], in one order. Any
// one-dimensional grid of blocks of 256 threads; ⌈count/32⌉ have one turn each.
KERNEL((256), sum_rows, double *result, const double *partials, double factor, Int rows, Int count) {
    for (Int first = Int(blockIdx.x) * channel_edge; first < count; first += Int(gridDim.x) * channel_edge) {
        const Int i = first + threadIdx.x % channel_edge;
        const double sum = sum_of_rows(partials, rows, count, i);
        if (threadIdx.x < channel_edge && i < count) result[i] = factor * sum;
    }
}

// The channel of element i, by a quick division where one will do.
__device__ __forceinline__ Int channel_of(Int i, Int channels) {
    return i <= 0xffffffffll ? Int(unsigned(i) % unsigned(channels)) : i % channels;
}

// dx = (cotangent of the mean + 2·that of the mean square·x)/positions + addend, zero
// where mask isn't positive; addend and mask (like x) may be null. cotangent: channels
// of means, then channels of mean squares. Any one-dimensional grid of blocks of 256.
//
// powers_gradient_…: dx = Σ over k = 1 … 5 of k·cotangent[5c + k−1]·x^(k−1)/positions.
#define CHANNEL_GRADIENT(suffix, T)                                                                                    \
    KERNEL((256), channel_gradient_##suffix, T *dx, const T *x, const double *cotangent, const T *addend,              \
           const T *mask, Int channels, Int positions) {                                                               \
        for (Int i = first_index(); i < channels * positions; i += index_step()) {                                     \
            Int c = channel_of(i, channels);                                                                           \
            double v = (cotangent[c] + 2 * cotangent[channels + c] * double(to_float(x[i]))) / double(positions);      \
            float slope = float(v) + (addend ? to_float(addend[i]) : 0.f);                                             \
            dx[i] = from_float<T>(mask && !(to_float(mask[i]) > 0) ? 0.f : slope);                                     \
        }                                                                                                              \
    }                                                                                                                  \
    KERNEL((256), powers_gradient_##suffix, T *dx, const T *x, const double *cotangent, const T *addend,               \
           const T *mask, Int channels, Int positions) {                                                               \
        for (Int i = first_index(); i < channels * positions; i += index_step()) {                                     \
            const double *a = cotangent + channel_of(i, channels) * 5;                                                 \
            double v = to_float(x[i]), n = double(positions);                                                          \
            double sum = a[0] / n + v * (2 * a[1] / n + v * (3 * a[2] / n + v * (4 * a[3] / n + v * (5 * a[4] / n)))); \
            float slope = float(sum) + (addend ? to_float(addend[i]) : 0.f);                                           \
            dx[i] = from_float<T>(mask && !(to_float(mask[i]) > 0) ? 0.f : slope);                                     \
        }                                                                                                              \
    }
CHANNEL_GRADIENT(f32, float)
CHANNEL_GRADIENT(f16, f16)
CHANNEL_GRADIENT(bf16, bf16)
#undef CHANNEL_GRADIENT

// Second moments XᵀX. Blocks make 64×64 of them from a part of the positions: only those
// of which the row of blocks isn't above the column, since the result is symmetric.
constexpr int moment_edge = tile_products, moment_depth = 32;

// In float32: 256 threads, 4×4 results each, sums over 32 positions in float32, over
// those in float64. Blocks on the diagonal sum up the channels, too, in float64.
template <class T>
__device__ void second_moments(double *partials, double *sums, const T *x, Int channels, Int positions) {
    __shared__ float left[moment_depth][moment_edge], right[moment_depth][moment_edge];
    int block_row, block_column;
    lower_block(blockIdx.x, block_row, block_column);
    const int thread = threadIdx.x;
    const Int begin = positions * blockIdx.y / gridDim.y, end = positions * (blockIdx.y + 1) / gridDim.y;
    const bool summing = block_row == block_column && thread < moment_edge;
    double totals[4][4] = {}, channel_total = 0;
    for (Int p0 = begin; p0 < end; p0 += moment_depth) {
        for (int i = thread; i < moment_depth * moment_edge; i += 256) {
            Int p = p0 + i / moment_edge, r = Int(block_row) * moment_edge + i % moment_edge;
            Int c = Int(block_column) * moment_edge + i % moment_edge;
            left[i / moment_edge][i % moment_edge] = p < end && r < channels ? to_float(x[p * channels + r]) : 0.f;
            right[i / moment_edge][i % moment_edge] = p < end && c < channels ? to_float(x[p * channels + c]) : 0.f;
        }
        __syncthreads();
        multiply_tile(totals, left, right);
        for (int k = 0; summing && k < moment_depth; k++) channel_total += double(left[k][thread]);
        __syncthreads();
    }
    const Int channel = Int(block_row) * moment_edge + thread;
    if (summing && channel < channels) sums[Int(blockIdx.y) * channels + channel] = channel_total;
    store_tile(partials + Int(blockIdx.y) * channels * channels, totals, Int(block_row) * moment_edge,
               Int(block_column) * moment_edge, channels, channels);
}

// partials (parts × channels²) = Σ x·xᵀ over each part of the positions, the lower
// triangle by blocks of 64, and sums (parts × channels) = Σ x, which moments_finish puts
// together. Grid
// (b(b+1)/2, parts), b = ⌈channels/64⌉; blocks of 256 threads.
#define SECOND_MOMENTS(suffix, T)                                                                                      \
    KERNEL((256), second_moments_##suffix, double *partials, double *sums, const T *x, Int channels, Int positions) {  \
        second_moments(partials, sums, x, channels, positions);                                                        \
    }
SECOND_MOMENTS(f32, float)
SECOND_MOMENTS(f16, f16)
SECOND_MOMENTS(bf16, bf16)
#undef SECOND_MOMENTS

// On the matrix units, of float16 and bfloat16: four warps of 32×32 results, slices of 32
// positions, three of them on their way. In blocks on the diagonal the warps on the left multiply
// their rows by ones, too, which sums up the channels. Rows in shared memory are 16 bytes longer
// than they need be, so that eight of them in a column lie on different banks.
//
// Sums are made in float32 over runs of 1,024 positions, and of runs in float64 in the block's
// own part of the memory for partial sums: so what rounding takes is bounded by the length of
// a run, 64 additions of 16 products, 2⁻¹⁷ of Σ|x||y| where each is truncated, and no more on
// larger maps; and the reads and writes in between are an eighth of what a run reads.
constexpr int moment_threads = 128, moment_stages = 3, moment_run = 1024 / moment_depth;

template <class T>
__device__ void second_moments_matrix(double *partials, double *sums_of_channels, const T *x, Int channels,
                                      Int positions) {
    static_assert(sizeof(T) == 2);
    constexpr int pitch = moment_edge * 2 + 16, side_bytes = moment_depth * pitch, pieces = moment_edge / 8, depth = 16;
    DYNAMIC_SHARED(unsigned char, shared);
    int block_row, block_column;
    lower_block(blockIdx.x, block_row, block_column);
    const int thread = threadIdx.x, lane = thread % warp_size, warp = thread / warp_size;
    const int row0 = warp / 2 * 32, column0 = warp % 2 * 32;
    const Int begin = positions * blockIdx.y / gridDim.y, end = positions * (blockIdx.y + 1) / gridDim.y;
    const int slices = int((end - begin + moment_depth - 1) / moment_depth);
    const bool diagonal = block_row == block_column;

    auto copy = [&](int number) {
        unsigned char *to = shared + number % moment_stages * 2 * side_bytes;
        for (int i = thread; i < moment_depth * pieces; i += moment_threads) {
            Int p = begin + Int(number) * moment_depth + i / pieces;
            const T *from = x + (p < end ? p : begin) * channels + i % pieces * Wide<T>::count;
            unsigned char *at = to + i / pieces * pitch + i % pieces * 16;
            copy_async(at, from + block_row * moment_edge, p < end);
            if (!diagonal) copy_async(at + side_bytes, from + block_column * moment_edge, p < end);
        }
    };

    const bool summing = diagonal && column0 == 0;
    const unsigned one = std::is_same_v<T, f16> ? 0x3c003c00u : 0x3f803f80u;
    const unsigned ones[2] = {one, one};
    float sums[2][4][4] = {}, channel_sums[2][4] = {};
    double *part = partials + Int(blockIdx.y) * channels * channels;
    auto add_run = [&](bool first) {
#pragma unroll
        for (int i = 0; i < 2; i++)
#pragma unroll
            for (int j = 0; j < 4; j++)
#pragma unroll
                for (int k = 0; k < 4; k++) {
                    Int r = Int(block_row) * moment_edge + row0 + 16 * i + lane / 4 + k / 2 * 8;
                    Int c = Int(block_column) * moment_edge + column0 + 8 * j + lane % 4 * 2 + k % 2;
                    double &total = part[r * channels + c];
                    total = first ? double(sums[i][j][k]) : total + double(sums[i][j][k]);
                    sums[i][j][k] = 0;
                }
        if (!summing) return;
        // All columns of the product with ones are the same: lanes of the first one have it.
#pragma unroll
        for (int i = 0; i < 2; i++)
#pragma unroll
            for (int k = 0; k < 4; k += 2) {
                Int r = Int(block_row) * moment_edge + row0 + 16 * i + lane / 4 + k / 2 * 8;
                double &total = sums_of_channels[Int(blockIdx.y) * channels + r];
                if (lane % 4 == 0) total = (first ? 0 : total) + double(channel_sums[i][k]);
                channel_sums[i][k] = channel_sums[i][k + 1] = 0;
            }
    };
    for (int i = 0; i < moment_stages - 1; i++) {
        if (i < slices) copy(i);
        copy_commit();
    }
    for (int number = 0; number < slices; number++) {
        copy_wait<moment_stages - 2>();
        __syncthreads();
        if (number + moment_stages - 1 < slices) copy(number + moment_stages - 1);
        copy_commit();
        if (number > 0 && number % moment_run == 0) add_run(number == moment_run);
        const unsigned char *left = shared + number % moment_stages * 2 * side_bytes;
        const unsigned char *right = diagonal ? left : left + side_bytes;
#pragma unroll
        for (int k = 0; k < moment_depth; k += depth) {
            unsigned a[2][4], b[4][2];
            for (int i = 0; i < 2; i++)
                load_matrices_transposed(a[i], left + (k + lane / 16 * 8 + lane % 8) * pitch +
                                                   (row0 + 16 * i + lane / 8 % 2 * 8) * 2);
            for (int j = 0; j < 4; j += 2) {
                unsigned pair[4];
                load_matrices_transposed(pair, right + (k + lane / 8 % 2 * 8 + lane % 8) * pitch +
                                                   (column0 + 8 * j + lane / 16 * 8) * 2);
                b[j][0] = pair[0], b[j][1] = pair[1], b[j + 1][0] = pair[2], b[j + 1][1] = pair[3];
            }
            for (int i = 0; i < 2; i++)
                for (int j = 0; j < 4; j++) multiply_add<T>(sums[i][j], a[i], b[j]);
            for (int i = 0; summing && i < 2; i++) multiply_add<T>(channel_sums[i], a[i], ones);
        }
    }
    copy_wait<0>();
    add_run(slices <= moment_run);
}

// As second_moments_…, where channels is a multiple of 64 and x is aligned to 16 bytes.
// Blocks of 128 threads, 27,648 bytes of dynamic shared memory; the same grid.
#define SECOND_MOMENTS_MATRIX(suffix, T)                                                                               \
    KERNEL((moment_threads), second_moments_matrix_##suffix, double *partials, double *sums, const T *x, Int channels, \
           Int positions) {                                                                                            \
        second_moments_matrix(partials, sums, x, channels, positions);                                                 \
    }
SECOND_MOMENTS_MATRIX(f16, f16)
SECOND_MOMENTS_MATRIX(bf16, bf16)
#undef SECOND_MOMENTS_MATRIX

// Moments of the partial sums of second_moments_…: means (channels), and second (channels²),
// both triangles. Any one-dimensional grid
// of blocks of 256 threads; ⌈channels²/32⌉ + ⌈channels/32⌉ have one turn each.
KERNEL((256), moments_finish, double *means, double *second, const double *sums, const double *partials, Int parts,
       Int channels, Int positions) {
    const Int count = channels * channels, squares = (count + channel_edge - 1) / channel_edge;
    const Int turns = squares + (channels + channel_edge - 1) / channel_edge;
    for (Int turn = blockIdx.x; turn < turns; turn += gridDim.x) {
        const bool first_order = turn >= squares;
        const Int i = (first_order ? turn - squares : turn) * channel_edge + threadIdx.x % channel_edge;
        const Int row = i / channels, column = i - row * channels, end = first_order ? channels : count;
        // Of second moments only the lower triangle is there, by blocks.
        const bool own = i < end && (first_order || row / moment_edge >= column / moment_edge);
        const double sum =
            sum_of_rows(first_order ? sums : partials, parts, end, own ? i : end) / double(positions);
        if (threadIdx.x >= channel_edge || !own) continue;
        (first_order ? means : second)[i] = sum;
        if (!first_order && row / moment_edge > column / moment_edge) second[column * channels + row] = sum;
    }
}

// greatest[block] = the block's share of the largest magnitude of D + Dᵀ, with D
// (channels²) the cotangent of second moments. Blocks of 256 threads, a grid of 256 at
// most.
KERNEL((256), cotangent_greatest, double *greatest, const double *d, Int channels) {
    double most = 0;
    for (Int i = first_index(); i < channels * channels; i += index_step())
        most = max(most, fabs(d[i] + d[i % channels * channels + i / channels]));
    most = block_greatest<256>(most);
    if (threadIdx.x == 0) greatest[blockIdx.x] = most;
}

// Readies the pull back of moments, dX = (dmean·1ᵀ + (D+Dᵀ)·X)/positions, for product_…:
// matrix (channels²) = (D+Dᵀ)/s with s its largest magnitude, so that no type is too
// narrow for it, factor = s/positions, bias (channels) = dmean/positions. cotangent:
// dmean, then D. greatest: count values from cotangent_greatest. as_filters: 1 for rows of the
// matrix in the order of filters on Hopper, where channels are a multiple of 32. Any
// one-dimensional grid of blocks of 256 threads.
template <class T, bool rounded>
__device__ void moments_cotangent(T *matrix, float *factor, float *bias, const double *cotangent,
                                  const double *greatest, Int count, Int channels, Int positions, bool as_filters) {
    const double *d = cotangent + channels;
    double most = 0;
    for (Int i = threadIdx.x; i < count; i += 256) most = max(most, greatest[i]);
    most = block_greatest<256>(most);
    const double scale = most > 0 ? 1 / most : 0;
    for (Int i = first_index(); i < channels * channels; i += index_step()) {
        const Int at = element_at(i, channels, as_filters);
        float v = float(scale * (d[at] + d[at % channels * channels + at / channels]));
        if constexpr (rounded) v = __uint_as_float(round_tf32(__float_as_uint(v)));
        matrix[i] = from_float<T>(v);
    }
    for (Int i = first_index(); i < channels; i += index_step()) bias[i] = float(cotangent[i] / double(positions));
    if (first_index() == 0) *factor = float(most / double(positions));
}
#define MOMENTS_COTANGENT(suffix, T, rounded)                                                                          \
    KERNEL((256), moments_cotangent_##suffix, T *matrix, float *factor, float *bias, const double *cotangent,          \
           const double *greatest, Int count, Int channels, Int positions, Int as_filters) {                           \
        moments_cotangent<T, rounded>(matrix, factor, bias, cotangent, greatest, count, channels, positions,           \
                                      as_filters != 0);                                                                \
    }
MOMENTS_COTANGENT(f32, float, false)
MOMENTS_COTANGENT(tf32, float, true)
MOMENTS_COTANGENT(f16, f16, false)
MOMENTS_COTANGENT(bf16, bf16, false)
#undef MOMENTS_COTANGENT
