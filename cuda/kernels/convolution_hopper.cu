// 3×3 convolutions with zeros round the map for compute capability 9.0, in float16 or
// bfloat16, summed in float32. The products of convolution_matrix.cu, in tiles of 8×32
// positions by 128 or 64 filters, which as many blocks as there are multiprocessors take in
// turns.
//
// One thread has boxes copied, as far ahead as there is room. Its positions are 8×34 of 64
// channels, 34 KB, which the copy cuts out of the map one column to the left, none or one to
// the right, and fills up with zeros; three taps below each other are read from it, since a row
// further down begins 8·128 = 1,024 bytes further on, at which the pattern of swizzled rows
// begins anew. To each of these taps come 16 KB (8 KB) of filters. Two groups of four warps
// multiply, each 16 of the rows: 64 positions by 128 (64) columns by 16 at a time out of shared
// memory, and leave what they have read when its products are done, which is while the next
// ones are under way. 128 (64) accumulators a thread. Of 2,097,152 (1,048,576)
// multiplications of a tap and a block, copies are 27.3 KB (19.3 KB).
//
// A gradient may have another one added, which is pulled back from second moments: the product of
// a map like the result with a symmetric matrix. It is one tap more, and comes first, since it is
// multiplied by a factor of its own.
//
// The groups go three taps apart: while one finishes its results, which go from registers to
// the map 16 bytes at a time, the other has the matrix units for itself. What is added and the
// mask are in the second-level cache by then. 218 KB (167 KB) of shared memory, one block a
// multiprocessor.
#include "finish.h"
#include "hopper.h"
#include "pools.h"

constexpr int hopper_producers = 128, hopper_consumers = 256, hopper_threads = hopper_producers + hopper_consumers;
constexpr int hopper_width = 8, hopper_height = 32; // of a tile
constexpr int hopper_slice = 64, hopper_row_bytes = 2 * hopper_slice * hopper_width;
constexpr int hopper_box_bytes = (hopper_height + 2) * hopper_row_bytes;
static_assert(hopper_row_bytes % swizzle_bytes == 0);

// Places in shared memory that are filled by copies and read by all consumers, one after the
// other.
template <int stages, int bytes> struct Ring {
    unsigned char *memory;
    CopyBarrier *full; // and, behind these, empty
    int stage, parity;

    __device__ Ring(unsigned char *memory, CopyBarrier *barriers)
        : memory(memory), full(barriers), stage(0), parity(0) {}

    // By one thread, before anything else.
    __device__ void begin() {
        for (int i = 0; i < stages; i++) {
            barrier_begin(full + i, 1);
            barrier_begin(full + stages + i, hopper_consumers / warp_size);
        }
    }

    __device__ void next() {
        if (++stage == stages) stage = 0, parity ^= 1;
    }

    // Waits until the place is free, and says what will come there. In the first round that
    // is at once: the phase before a barrier's first has the other parity and is over.
    __device__ unsigned char *fill() {
        barrier_wait(full + stages + stage, parity ^ 1);
        barrier_expect(full + stage, bytes);
        return memory + stage * bytes;
    }

    // Waits until the place is filled.
    __device__ const unsigned char *read() {
        barrier_wait(full + stage, parity);
        return memory + stage * bytes;
    }

    // Leaves the place before this one; by one thread of each warp.
    __device__ void leave_last() { barrier_arrive(full + stages + (stage == 0 ? stages : stage) - 1); }
};

// A tile, and which of three taps below each other of a slice of channels are summed for it.
struct HopperTile {
    int row0, column0, filter0, part, first, end;

    // Those of the same positions follow each other.
    __device__ HopperTile(int number, int columns, int parts, const MatrixShape &shape) {
        const int by_filters = shape.out / columns, triples = 3 * (shape.in / hopper_slice);
        const int across = (shape.width + hopper_width - 1) / hopper_width;
        const int places = (shape.height + hopper_height - 1) / hopper_height * across;
        const int place = number / by_filters % places;
        part = number / by_filters / places;
        filter0 = number % by_filters * columns;
        row0 = place / across * hopper_height, column0 = place % across * hopper_width;
        first = triples * part / parts, end = triples * (part + 1) / parts;
    }

    __device__ static int count(int columns, int parts, const MatrixShape &shape) {
        return (shape.height + hopper_height - 1) / hopper_height * ((shape.width + hopper_width - 1) / hopper_width) *
               (shape.out / columns) * parts;
    }
};

// Where the maxima of 2×2 results go, if they are wanted, and what they are multiplied by.
template <class T> struct MaxPool {
    T *y;
    float scale;

    // Those of neighbouring filters, from results of a column above each other, by a warp
    // whose lanes four further on or before have the column beside it. Right for even columns.
    template <int words>
    __device__ void operator()(Int at, bool there, const unsigned (&above)[words],
                               const unsigned (&below)[words]) const {
        unsigned window[4][words];
#pragma unroll
        for (int i = 0; i < words; i++) {
            window[0][i] = above[i], window[1][i] = __shfl_xor_sync(all_lanes, above[i], 4);
            window[2][i] = below[i], window[3][i] = __shfl_xor_sync(all_lanes, below[i], 4);
        }
        alignas(16) T largest[neighbours];
#pragma unroll
        for (int i = 0; i < neighbours; i++) {
            float v[4];
            int best;
            for (int k = 0; k < 4; k++) v[k] = element_of<T>(window[k], i);
            largest[i] = from_float<T>(scale * largest_of(v, best));
        }
        if (there) store_some(y + at, largest);
    }
};

// What is added to a convolution: *factor·x·matrix, of positions × out and out × out elements, if
// it is wanted.
struct HopperPull {
    const TensorMap *x, *matrix;
    const float *factor;

    // Slices of channels that it takes of a tile, none but of the first part of the depth.
    __device__ int slices(const HopperTile &tile, const MatrixShape &shape) const {
        return x && tile.part == 0 ? shape.out / hopper_slice : 0;
    }
};

// The products of a tap of 64 channels, of which a thread has the sums of two blocks of rows.
template <class T, int columns>
__device__ __forceinline__ void multiply_tap(float (&sums)[2][columns / 2], const unsigned char *rows,
                                             const unsigned char *filter_rows) {
    products_begin();
#pragma unroll
    for (int k = 0; k < hopper_slice / 16; k++)
#pragma unroll
        for (int i = 0; i < 2; i++)
            multiply_group<T>(sums[i], matrix_at(rows + 8 * i * hopper_row_bytes) + 2 * k,
                              matrix_at(filter_rows) + 2 * k, true);
    products_commit();
}

template <class T, int columns>
__device__ void convolve_hopper(T *y, const MaxPool<T> pool, float *part_sums, int parts, const TensorMap *x,
                                const TensorMap *filters, const HopperPull pull, const FinishWide<T> finish,
                                const MatrixShape shape) {
    constexpr int boxes_there = 3, taps_there = 7, tap_bytes = 2 * hopper_slice * columns;
    DYNAMIC_SHARED(unsigned char, raw);
    unsigned char *const shared = raw + (swizzle_bytes - shared_address(raw) % swizzle_bytes) % swizzle_bytes;
    unsigned char *const behind_boxes = shared + boxes_there * hopper_box_bytes;
    auto *const ahead = reinterpret_cast<CopyBarrier *>(behind_boxes + taps_there * tap_bytes);
    Ring<boxes_there, hopper_box_bytes> boxes(shared, ahead + 2);
    Ring<taps_there, tap_bytes> taps(behind_boxes, ahead + 2 + 2 * boxes_there);
    const int tiles = HopperTile::count(columns, parts, shape), block = blockIdx.x, blocks = gridDim.x;

    if (threadIdx.x == 0) {
        barrier_begin(ahead, 1);
        barrier_begin(ahead + 1, 1);
        boxes.begin();
        taps.begin();
        barriers_begun();
    }
    __syncthreads();

    if (threadIdx.x < hopper_producers) {
        fewer_registers<40>();
        if (threadIdx.x > 0) return;
        acquire_map(x);
        acquire_map(filters);
        if (pull.x) {
            acquire_map(pull.x);
            acquire_map(pull.matrix);
        }
        for (int number = block; number < tiles; number += blocks) {
            const HopperTile tile(number, columns, parts, shape);
            for (int slice = 0; slice < pull.slices(tile, shape); slice++) {
                const int channel = slice * hopper_slice;
                copy_box(boxes.fill(), pull.x, boxes.full + boxes.stage, channel, tile.column0, tile.row0 - 1);
                boxes.next();
                copy_box(taps.fill(), pull.matrix, taps.full + taps.stage, channel, tile.filter0);
                taps.next();
            }
            for (int triple = tile.first; triple < tile.end; triple++) {
                const int channel = triple / 3 * hopper_slice, across = triple % 3;
                copy_box(boxes.fill(), x, boxes.full + boxes.stage, channel, tile.column0 + across - 1, tile.row0 - 1);
                boxes.next();
                for (int down = 0; down < 3; down++) {
                    copy_box(taps.fill(), filters, taps.full + taps.stage, (3 * down + across) * shape.in + channel,
                             tile.filter0);
                    taps.next();
                }
            }
        }
        return;
    }

    more_registers<232>();
    const int thread = threadIdx.x - hopper_producers, lane = thread % warp_size, group = thread / 128;
    for (int number = block; number < tiles; number += blocks) {
        const HopperTile tile(number, columns, parts, shape);
        auto element = [&](int row, int column) {
            return (Int(row) * shape.width + column) * shape.out + tile.filter0;
        };
        {
            const int row = tile.row0 + thread / hopper_width, column = tile.column0 + thread % hopper_width;
            if (parts == 1 && row < shape.height && column < shape.width)
                finish.template announce<columns>(element(row, column));
        }
        // The groups come to be three taps apart in the first tile: where that begins with slices
        // of what is pulled back, of which there may be more than places for boxes, by way of one.
        const bool first = number == block;
        const int slices = pull.slices(tile, shape);
        if (group == 1 && first && slices > 0) barrier_wait(ahead + 1, 0);
        float sums[2][columns / 2];
        for (auto &half : sums)
            for (float &sum : half) sum = 0;
        const int group_rows = group * (hopper_height / 2) * hopper_row_bytes;
        for (int slice = 0; slice < slices; slice++) {
            multiply_tap<T, columns>(sums, boxes.read() + group_rows + hopper_row_bytes, taps.read());
            products_wait<0>();
            taps.next();
            boxes.next();
            if (lane == 0) {
                taps.leave_last();
                boxes.leave_last();
            }
            if (thread == 0 && slice == 0 && first) barrier_arrive(ahead + 1);
            // Behind the loop, if there were slices, the compiler would make all products one by one.
            const float factor = slice + 1 < slices ? 1.f : *pull.factor;
            for (auto &half : sums)
                for (float &sum : half) sum *= factor;
        }
        if (group == 1 && first) barrier_wait(ahead, 0);
        for (int triple = tile.first; triple < tile.end; triple++) {
            const unsigned char *rows = boxes.read() + group_rows;
#pragma unroll
            for (int down = 0; down < 3; down++) {
                multiply_tap<T, columns>(sums, rows + down * hopper_row_bytes, taps.read());
                products_wait<1>();
                if (lane == 0) {
                    if (down > 0 || triple > tile.first) taps.leave_last();
                    if (down == 0 && triple > tile.first) boxes.leave_last();
                }
                taps.next();
            }
            boxes.next();
            if (thread == 0 && triple == tile.first && first) barrier_arrive(ahead);
        }
        products_wait<0>();
        if (lane == 0) {
            taps.leave_last();
            boxes.leave_last();
        }

        // This thread's rows of the tile are these and the ones below.
        const int row0 = tile.row0 + group * (hopper_height / 2) + thread / warp_size % 4 * 2;
        const int column = tile.column0 + lane / 4, channel0 = lane % 4 * neighbours;
        Int at[4];
        bool there[4];
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const int row = row0 + i / 2 * 8 + i % 2;
            at[i] = element(row, column) + channel0;
            there[i] = row < shape.height && column < shape.width;
        }
        float *part = part_sums + Int(tile.part) * shape.height * shape.width * shape.out;
#pragma unroll // accumulators that are reached by a variable aren't in registers
        for (int c = 0; c < columns / 32; c++) {
            typename FinishWide<T>::OfFilters of_filters;
            typename FinishWide<T>::OfPosition of_position[4];
            if (parts == 1) {
                of_filters = finish.of_filters(tile.filter0 + channel0 + 32 * c);
#pragma unroll
                for (int i = 0; i < 4; i++) of_position[i] = finish.of_position(at[i] + 32 * c, there[i]);
            }
#pragma unroll
            for (int i = 0; i < 4; i += 2) {
                alignas(16) unsigned results[2][FinishWide<T>::OfPosition::words];
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    alignas(16) float own[neighbours];
#pragma unroll
                    for (int k = 0; k < neighbours; k++)
                        own[k] = sums[i / 2][4 * (4 * c + k / 2) + 2 * half + k % 2];
                    if (parts > 1) {
                        if (there[i + half]) store_some(part + at[i + half] + 32 * c, own);
                        continue;
                    }
                    finish(results[half], own, of_filters, of_position[i + half]);
                    if (there[i + half])
                        store_some(reinterpret_cast<unsigned *>(y + at[i + half] + 32 * c), results[half]);
                }
                if (!pool.y) continue;
                const int row = row0 / 2 + 4 * (i / 2), half_width = shape.width / 2;
                pool((Int(row) * half_width + column / 2) * shape.out + tile.filter0 + channel0 + 32 * c,
                     column % 2 == 0 && column / 2 < half_width && row < shape.height / 2, results[0], results[1]);
            }
        }
    }
}

// As convolution_matrix…, with x and filters by tensor maps in device memory: of x, sizes
// (in, width, height), box (64, 8, 34); of filters, sizes (9·in, out), box (64, 64 or 128);
// both with a swizzle of 128 bytes and zeros outside. Filters are from
// arrange_hopper_filters_…. in: a multiple of 64. parts: 3·in/64 at most.
//
// pooled (⌊height/2⌋·⌊width/2⌋ × out), which may be null and is so where parts > 1, gets the
// maxima as by pool_max_…, multiplied by scale.
//
// Where pulled isn't null, which is a tensor map like that of x but of a map like y, matrix is a
// symmetric one of out×out elements with rows in the order of filters, sizes (out, out), box (64,
// 64 or 128), and *factor·(pulled·matrix) is added before bias is.
//
// Blocks of 384 threads; 163,072 bytes (out by 64) or 220,416 bytes (by 128) of dynamic
// shared memory; any one-dimensional grid, of which ⌈width/8⌉·⌈height/32⌉·(out/64 or
// out/128)·parts blocks have something to do. Compute capability 9.0 only.
#define CONVOLUTION_HOPPER(suffix, T, columns)                                                                         \
    KERNEL((hopper_threads, 1), convolution_hopper##columns##_##suffix, T *y, T *pooled, double scale,                 \
           float *parts_memory, Int parts, const TensorMap *x, const TensorMap *filters, const TensorMap *pulled,      \
           const TensorMap *matrix, const float *factor, const float *bias, const T *addend, const T *mask, Int flags, \
           Int in, Int out, Int height, Int width) {                                                                   \
        convolve_hopper<T, columns>(y, {pooled, float(scale)}, parts_memory, int(parts), x, filters,                   \
                                    {pulled, matrix, factor}, {nullptr, bias, addend, mask, (flags & 2) != 0},         \
                                    {int(in), int(out), int(height), int(width)});                                     \
    }
CONVOLUTION_HOPPER(f16, f16, 64)
CONVOLUTION_HOPPER(f16, f16, 128)
CONVOLUTION_HOPPER(bf16, bf16, 64)
CONVOLUTION_HOPPER(bf16, bf16, 128)
#undef CONVOLUTION_HOPPER
