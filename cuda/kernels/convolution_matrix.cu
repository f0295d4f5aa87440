// 3×3 convolutions with zeros round the map, on the matrix units: float16, bfloat16
// or TF32 products, summed in float32. Implicit products of matrices as in
// convolution.cu, of 128 positions by 128 or 64 filters a block.
//
// A slice is 64 bytes deep: 32 channels of one tap in two-byte types, 16 in four.
// Slices of positions and filters come to shared memory by asynchronous copies,
// two of them ahead; what lies outside the map comes as zeros. The 16-byte pieces of
// a row are exchanged by its number, so that neither copies nor the loads of 8×8
// matrices meet on a bank. Eight warps, each of 64×32 results (32×32 of 64
// filters): a slice is 2×(4+2) matrix loads and 2×16 products a warp. A thread's results are
// of neighbouring filters and go from registers to the map 16 bytes at a time. 48 KB (36 KB)
// of shared memory, so that two blocks fit on a multiprocessor that has 100 KB, as those of
// compute capability 8.6, 8.9 and 12.0 have, of which a block takes one for itself; a slice
// takes the two of them some 1000 cycles at least, longer than a copy is on its way.
#include "finish.h"

constexpr int matrix_threads = 256, matrix_rows = 128, matrix_stages = 3, slice_bytes = 64;

template <class T, int columns, int taps> struct MatrixBlock {
    static constexpr int slice = slice_bytes / sizeof(T);
    static constexpr int stage_bytes = (matrix_rows + columns) * slice_bytes;
    static constexpr int warp_rows = columns == 128 ? 64 : 32, warps_down = matrix_rows / warp_rows;
    static constexpr int row_tiles = warp_rows / 16, column_tiles = 4;
    static constexpr int filter_copies = columns * 4 / matrix_threads;

    const T *x, *filters;
    MatrixShape shape;
    unsigned char *shared;
    int thread, position0, column0;
    // The two positions that this thread copies pieces of.
    int row[2], column[2];
    // The slice that is copied next.
    int tap, channel, stage;
    float sums[row_tiles][column_tiles][4];

    __device__ MatrixBlock(const T *x, const T *filters, MatrixShape shape, unsigned char *shared)
        : x(x), filters(filters), shape(shape), shared(shared), thread(threadIdx.x),
          position0(blockIdx.x * matrix_rows), column0(blockIdx.y * columns) {
        for (int i = 0; i < 2; i++) {
            int position = position0 + thread / 4 + 64 * i;
            row[i] = position / shape.width;
            column[i] = position - row[i] * shape.width;
        }
        for (auto &a : sums)
            for (auto &b : a)
                for (float &c : b) c = 0;
    }

    // Where this thread's results lie in the block: in rows first_row() + 16·i and 8 below, and
    // from first_filter() on.
    __device__ int first_row() const { return thread / warp_size % warps_down * warp_rows + thread % warp_size / 4; }
    __device__ int first_filter() const { return thread / warp_size / warps_down * 32 + thread % 4 * neighbours; }

    // As piece_at, of filters, whose rows are read eight apart.
    __device__ static int filter_piece_at(int row, int piece) {
        return row * slice_bytes + ((piece ^ (row >> 3 & 3)) << 4);
    }

    // Begins the copies of the next slice. A row beyond the last of the map is like one of
    // the border.
    __device__ void copy() {
        unsigned char *to = shared + stage * stage_bytes;
        const int piece = thread % 4, channel_of_piece = channel + piece * Wide<T>::count;
        for (int i = 0; i < 2; i++) {
            int r = row[i] + (taps == 9 ? tap / 3 - 1 : 0), c = column[i] + (taps == 9 ? tap % 3 - 1 : 0);
            bool inside = unsigned(r) < unsigned(shape.height) && unsigned(c) < unsigned(shape.width);
            const T *from = inside ? x + (Int(r) * shape.width + c) * shape.in + channel_of_piece : x;
            copy_async(to + piece_at(thread / 4 + 64 * i, piece), from, inside);
        }
        for (int i = 0; i < filter_copies; i++) {
            int o = thread / 4 + 64 * i;
            const T *from = filters + Int(column0 + o) * (taps * shape.in) + tap * shape.in + channel_of_piece;
            copy_async(to + matrix_rows * slice_bytes + filter_piece_at(o, piece), from, true);
        }
        stage = stage + 1 == matrix_stages ? 0 : stage + 1;
        if ((channel += slice) == shape.in) channel = 0, tap++;
    }

    __device__ void multiply(const unsigned char *rows) {
        const unsigned char *filter_rows = rows + matrix_rows * slice_bytes;
        const int lane = thread % warp_size, warp = thread / warp_size;
        const int row0 = warp % warps_down * warp_rows, filter0 = warp / warps_down * 32;
#pragma unroll
        for (int step = 0; step < 2; step++) {
            unsigned a[row_tiles][4], b[column_tiles][2];
#pragma unroll
            for (int i = 0; i < row_tiles; i++) {
                load_matrices(a[i], rows + piece_at(row0 + 16 * i + lane % 16, 2 * step + lane / 16));
                if constexpr (sizeof(T) == 4)
                    for (unsigned &word : a[i]) word = round_tf32(word);
            }
#pragma unroll
            for (int j = 0; j < column_tiles; j += 2) {
                unsigned pair[4];
                const int filter = filter0 + filter_of(8 * j + lane % 8 + lane / 16 * 8);
                load_matrices(pair, filter_rows + filter_piece_at(filter, 2 * step + lane / 8 % 2));
                b[j][0] = pair[0], b[j][1] = pair[1], b[j + 1][0] = pair[2], b[j + 1][1] = pair[3];
            }
#pragma unroll
            for (int i = 0; i < row_tiles; i++)
#pragma unroll
                for (int j = 0; j < column_tiles; j++) multiply_add<T>(sums[i][j], a[i], b[j]);
        }
    }

    // Sums over slices first … end−1.
    __device__ void accumulate(int first, int end) {
        const int slices = shape.in / slice;
        tap = first / slices, channel = (first - tap * slices) * slice, stage = 0;
        for (int i = 0; i < matrix_stages - 1; i++) {
            if (first + i < end) copy();
            copy_commit();
        }
        int there = 0;
        for (int number = first; number < end; number++) {
            copy_wait<matrix_stages - 2>();
            __syncthreads(); // the slice is there, and everyone is done with the one before
            if (number + matrix_stages - 1 < end) copy();
            copy_commit();
            multiply(shared + there * stage_bytes);
            there = there + 1 == matrix_stages ? 0 : there + 1;
        }
        copy_wait<0>();
    }

    // This thread's results in row first_row() + 16·i + 8·half.
    __device__ void results(float (&to)[neighbours], int i, int half) const {
#pragma unroll
        for (int k = 0; k < neighbours; k++) to[k] = sums[i][k / 2][2 * half + k % 2];
    }
};

template <class T, int columns, int taps>
__device__ void convolve_matrix(T *y, float *parts, const T *x, const T *filters, const FinishWide<T> finish,
                                MatrixShape shape) {
    DYNAMIC_SHARED(unsigned char, shared);
    using Block = MatrixBlock<T, columns, taps>;
    Block block(x, filters, shape, shared);
    const int slices = taps * shape.in / Block::slice, positions = shape.height * shape.width;
    if (gridDim.z == 1 && block.position0 + block.thread / 2 < positions)
        finish.announce(Int(block.position0 + block.thread / 2) * shape.out + block.column0 +
                            block.thread % 2 * (columns / 2),
                        columns / 2);
    block.accumulate(slices * blockIdx.z / gridDim.z, slices * (blockIdx.z + 1) / gridDim.z);

    const int position0 = block.position0 + block.first_row(), channel = block.column0 + block.first_filter();
    alignas(16) float sums[neighbours];
    if (gridDim.z > 1) {
        float *part = parts + Int(blockIdx.z) * positions * shape.out;
#pragma unroll // sums that are reached by a variable aren't in registers
        for (int i = 0; i < 2 * Block::row_tiles; i++) {
            const int position = position0 + 8 * i;
            if (position >= positions) continue;
            block.results(sums, i / 2, i % 2);
            store_some(part + Int(position) * shape.out + channel, sums);
        }
        return;
    }
    const auto of_filters = finish.of_filters(channel);
    // Rows whose addends and masks are loaded at once.
    constexpr int together = sizeof(T) * columns <= 128 ? 4 : 2;
#pragma unroll
    for (int i = 0; i < 2 * Block::row_tiles; i += together) {
        typename FinishWide<T>::OfPosition of_position[together];
#pragma unroll
        for (int k = 0; k < together; k++) {
            const int position = position0 + 8 * (i + k);
            of_position[k] = finish.of_position(Int(position) * shape.out + channel, position < positions);
        }
#pragma unroll
        for (int k = 0; k < together; k++) {
            const int position = position0 + 8 * (i + k);
            if (position >= positions) continue;
            block.results(sums, (i + k) / 2, k % 2);
            finish(y, Int(position) * shape.out + channel, sums, of_filters, of_position[k]);
        }
    }
}

// y (positions×out) = the convolution of x (positions×in), zeros round it, with
// filters, then what convolution_… does besides: bias (out), addend and mask (like
// y) may be null, flags 2 rectifies. filters: out × 9·in from
// arrange_matrix_filters_….
// Gradients likewise, as there, of a dy to which its mask has been applied.
//
// in: a multiple of 32 (tf32: 16); out: of 64 (convolution_matrix64_…) or 128
// (convolution_matrix128_…). All pointers aligned to 16 bytes. positions < 2³¹.
//
// Blocks of 256 threads, 36,864 (out by 64) or 49,152 (by 128) bytes of dynamic shared
// memory; grid (⌈positions/128⌉, out/64 or out/128, parts). Where parts > 1, blocks
// share the depth; their sums go to parts_memory, parts×positions×out of float32, and
// finish_parts_… must follow, with the same operands; it makes y.
#define CONVOLUTION_MATRIX(suffix, T, columns)                                                                         \
    KERNEL((matrix_threads, 2), convolution_matrix##columns##_##suffix, T *y, float *parts_memory, const T *x,         \
           const T *filters, const float *bias, const T *addend, const T *mask, Int flags, Int in, Int out,            \
           Int height, Int width) {                                                                                    \
        convolve_matrix<T, columns, 9>(y, parts_memory, x, filters, {nullptr, bias, addend, mask, (flags & 2) != 0},   \
                                       {int(in), int(out), int(height), int(width)});                                  \
    }
//
// product_matrix64_…, product_matrix128_…: y (rows×out) = *factor·x·matrixᵀ + bias +
// addend, zero where mask isn't positive, with matrix out×in; otherwise the same, of one
// part.
#define PRODUCT_MATRIX(suffix, T, columns)                                                                             \
    KERNEL((matrix_threads, 2), product_matrix##columns##_##suffix, T *y, const T *x, const T *matrix,                 \
           const float *factor, const float *bias, const T *addend, const T *mask, Int in, Int out, Int rows) {        \
        convolve_matrix<T, columns, 1>(y, nullptr, x, matrix, {factor, bias, addend, mask, false},                     \
                                       {int(in), int(out), int(rows), 1});                                             \
    }
#define ON_MATRIX_UNITS(suffix, T)                                                                                     \
    PRODUCT_MATRIX(suffix, T, 64)                                                                                      \
    PRODUCT_MATRIX(suffix, T, 128)                                                                                     \
    CONVOLUTION_MATRIX(suffix, T, 64)                                                                                  \
    CONVOLUTION_MATRIX(suffix, T, 128)
ON_MATRIX_UNITS(f16, f16)
ON_MATRIX_UNITS(bf16, bf16)
ON_MATRIX_UNITS(tf32, float)
#undef ON_MATRIX_UNITS
#undef PRODUCT_MATRIX
#undef CONVOLUTION_MATRIX

// y = Σ of the parts that a convolution left, then bias, rectification, addend and
// mask as there. n = positions·out. Any grid of blocks of 256 threads.
#define FINISH_PARTS(suffix, T)                                                                                        \
    KERNEL((256), finish_parts_##suffix, T *y, const float *parts_memory, Int parts, const float *bias,                \
           const T *addend, const T *mask, Int flags, Int out, Int n) {                                                \
        const FinishWide<T> finish{nullptr, bias, addend, mask, (flags & 2) != 0};                                     \
        for (Int i = first_index() * neighbours; i < n; i += index_step() * neighbours) {                              \
            const auto of_filters =                                                                                    \
                finish.of_filters(int(unsigned(i / neighbours) % unsigned(out / neighbours)) * neighbours);            \
            const auto of_position = finish.of_position(i, true);                                                      \
            alignas(16) float sums[neighbours] = {}, more[neighbours];                                                 \
            for (Int part = 0; part < parts; part++) {                                                                 \
                load_some(more, parts_memory + part * n + i);                                                          \
                for (int k = 0; k < neighbours; k++) sums[k] += more[k];                                               \
            }                                                                                                          \
            finish(y, i, sums, of_filters, of_position);                                                               \
        }                                                                                                              \
    }
FINISH_PARTS(f16, f16)
FINISH_PARTS(bf16, bf16)
FINISH_PARTS(tf32, float)
#undef FINISH_PARTS
