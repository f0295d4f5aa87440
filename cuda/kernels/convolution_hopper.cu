// 3×3 convolutions with zeros round the map for compute capability 9.0, in float16 or
// bfloat16, summed in float32. The products of convolution_matrix.cu, of 16×16 positions by
// 128 or 64 filters a block.
//
// One thread has boxes copied, four slices ahead: a slice is 64 channels of one tap, 32 KB
// of positions, which the copy cuts out of the map shifted by the tap and fills up with
// zeros, and 16 KB (8 KB) of filters. Two groups of four warps multiply, each 128 positions:
// 64 rows by 128 (64) columns by 16 at a time out of shared memory, and leave a slice when
// its products are done, which is while the next one's are under way. 128 (64) accumulators
// a thread; per slice and block 2,097,152 multiplications for 48 KB (40 KB) copied; 193 KB
// (161 KB) of shared memory, one block a multiprocessor.
#include "finish.h"
#include "hopper.h"

constexpr int hopper_threads = 384, hopper_edge = 16, hopper_rows = hopper_edge * hopper_edge, hopper_stages = 4;
constexpr int hopper_slice = 64, hopper_row_bytes = 128;

template <class T, int columns>
__device__ void convolve_hopper(T *y, float *parts, const TensorMap *x, const TensorMap *filters,
                                const FinishWide<T> finish, const MatrixShape shape) {
    constexpr int row_bytes = hopper_rows * hopper_row_bytes, stage_bytes = row_bytes + columns * hopper_row_bytes;
    DYNAMIC_SHARED(unsigned char, raw);
    unsigned char *const shared = raw + (1024 - shared_address(raw) % 1024) % 1024;
    auto *const full = reinterpret_cast<CopyBarrier *>(shared + hopper_stages * stage_bytes);
    CopyBarrier *const empty = full + hopper_stages;
    const int across = (shape.width + hopper_edge - 1) / hopper_edge;
    const int row0 = blockIdx.x / across * hopper_edge, column0 = blockIdx.x % across * hopper_edge;
    const int filter0 = blockIdx.y * columns, slices = shape.in / hopper_slice;
    const int first = 9 * slices * blockIdx.z / gridDim.z, end = 9 * slices * (blockIdx.z + 1) / gridDim.z;
    constexpr int consumers = 256;

    if (threadIdx.x == 0) {
        for (int i = 0; i < hopper_stages; i++) {
            barrier_begin(full + i, 1);
            barrier_begin(empty + i, consumers / warp_size);
        }
        barriers_begun();
    }
    __syncthreads();

    if (threadIdx.x < hopper_threads - consumers) {
        fewer_registers<40>();
        if (threadIdx.x > 0) return;
        acquire_map(x);
        acquire_map(filters);
        for (int step = 0; first + step < end; step++) {
            const int stage = step % hopper_stages, round = step / hopper_stages;
            const int tap = (first + step) / slices, channel = (first + step) % slices * hopper_slice;
            unsigned char *to = shared + stage * stage_bytes;
            if (round > 0) barrier_wait(empty + stage, (round - 1) % 2);
            barrier_expect(full + stage, stage_bytes);
            copy_box(to, x, full + stage, channel, column0 + tap % 3 - 1, row0 + tap / 3 - 1);
            copy_box(to + row_bytes, filters, full + stage, tap * shape.in + channel, filter0);
        }
        return;
    }

    more_registers<232>();
    const int thread = threadIdx.x - (hopper_threads - consumers), lane = thread % warp_size, group = thread / 128;
    float sums[2][columns / 2];
    for (auto &tile : sums)
        for (float &sum : tile) sum = 0;
    for (int step = 0; first + step < end; step++) {
        const int stage = step % hopper_stages;
        const unsigned char *rows = shared + stage * stage_bytes + group * (row_bytes / 2);
        const unsigned char *filter_rows = shared + stage * stage_bytes + row_bytes;
        barrier_wait(full + stage, step / hopper_stages % 2);
        products_begin();
#pragma unroll
        for (int k = 0; k < hopper_slice / 16; k++)
#pragma unroll
            for (int i = 0; i < 2; i++)
                multiply_group<T>(sums[i], matrix_at(rows + i * 64 * hopper_row_bytes) + 2 * k,
                                  matrix_at(filter_rows) + 2 * k, true);
        products_commit();
        products_wait<1>();
        if (step > 0 && lane == 0) barrier_arrive(empty + (step - 1) % hopper_stages);
    }
    products_wait<0>();
    some_threads(1, consumers); // nobody reads slices any more: a warp's results can lie there

    constexpr int pitch = columns + 4;
    float *mine = reinterpret_cast<float *>(shared) + thread / warp_size * 16 * pitch;
    const int positions = shape.height * shape.width;
#pragma unroll // accumulators that are reached by a variable aren't in registers
    for (int i = 0; i < 2; i++) {
#pragma unroll
        for (int j = 0; j < columns / 8; j++)
#pragma unroll
            for (int k = 0; k < 4; k++)
                mine[(lane / 4 + k / 2 * 8) * pitch + 8 * j + lane % 4 * 2 + k % 2] = sums[i][4 * j + k];
        __syncwarp();
        constexpr int count = Wide<T>::count;
        for (int piece = lane; piece < 16 * columns / count; piece += warp_size) {
            const int r = piece / (columns / count), c = piece % (columns / count) * count;
            const int place = group * 128 + i * 64 + thread / warp_size % 4 * 16 + r;
            const int row = row0 + place / hopper_edge, column = column0 + place % hopper_edge;
            if (row >= shape.height || column >= shape.width) continue;
            const Int at = (Int(row) * shape.width + column) * shape.out + filter0 + c;
            float values[count];
            for (int k = 0; k < count; k++) values[k] = mine[r * pitch + c + k];
            if (gridDim.z == 1) {
                finish(y, values, at, filter0 + c);
                continue;
            }
            float *part = parts + Int(blockIdx.z) * positions * shape.out + at;
            for (int k = 0; k < count; k += 4)
                store_wide(part + k, {values[k], values[k + 1], values[k + 2], values[k + 3]});
        }
        __syncwarp();
    }
}

// As convolution_matrix…, with x and filters by tensor maps in device memory: of x, sizes
// (in, width, height), box (64, 16, 16); of filters, sizes (9·in, out), box (64, 64 or 128);
// both with a swizzle of 128 bytes and zeros outside. in: a multiple of 64.
//
// Blocks of 384 threads; 164,928 bytes (out by 64) or 197,696 bytes (by 128) of dynamic
// shared memory; grid (⌈width/16⌉·⌈height/16⌉, out/64 or out/128, parts). Compute capability
// 9.0 only.
#define CONVOLUTION_HOPPER(suffix, T, columns)                                                                         \
    KERNEL((hopper_threads, 1), convolution_hopper##columns##_##suffix, T *y, float *parts_memory, const TensorMap *x, \
           const TensorMap *filters, const float *bias, const T *addend, const T *mask, Int flags, Int in, Int out,    \
           Int height, Int width) {                                                                                    \
        convolve_hopper<T, columns>(y, parts_memory, x, filters, {nullptr, bias, addend, mask, (flags & 2) != 0},      \
                                    {int(in), int(out), int(height), int(width)});                                     \
    }
CONVOLUTION_HOPPER(f16, f16, 64)
CONVOLUTION_HOPPER(f16, f16, 128)
CONVOLUTION_HOPPER(bf16, bf16, 64)
CONVOLUTION_HOPPER(bf16, bf16, 128)
#undef CONVOLUTION_HOPPER
