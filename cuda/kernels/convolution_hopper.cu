// 3×3 convolutions with zeros round the map for compute capability 9.0, in float16 or
// bfloat16, summed in float32. The products of convolution_matrix.cu, in tiles of 8×32
// positions by 128, 96 or 64 filters, which as many blocks as there are multiprocessors take in
// turns. Tiles that are left for a last round, in which there aren't enough for all
// multiprocessors, may be taken in pieces: of 64 filters, of 8×16 positions by 64 or by 32.
//
// One thread has boxes copied, as far ahead as there is room. Its positions are 8×34 (8×18) of
// 64 channels, 34 KB (18 KB), which the copy cuts out of the map one column to the left, none or
// one to the right, and fills up with zeros; three taps below each other are read from it, since
// a row further down begins 8·128 = 1,024 bytes further on, at which the pattern of swizzled rows
// begins anew. To each of these taps come 4 KB for each 32 filters. Two groups of four warps
// multiply, each half of the rows: 64 positions, twice in a tile and once in a piece of 8×16, by
// the filters by 16 channels at a time out of shared memory, and leave what they have read when
// its products are done, which is while the next ones are under way. 128 accumulators a thread
// for 128 filters. Of their 2,097,152 multiplications of a tap and a block, copies are 27.3 KB,
// and of a half of that for 64 filters 19.3 KB.
//
// A gradient may have another one added, which is pulled back from second moments: the product of
// a map like the result with a symmetric matrix. It is one tap more, and comes first, since it is
// multiplied by a factor of its own.
//
// The groups go three taps apart: while one finishes its results, which go from registers to
// the map 16 bytes at a time, the other has the matrix units for itself. What is added and the
// mask are in the second-level cache by then. 218 KB of shared memory, one block a
// multiprocessor.
#include "finish.h"
#include "hopper.h"
#include "pools.h"

constexpr int hopper_producers = 128, hopper_consumers = 256, hopper_threads = hopper_producers + hopper_consumers;
constexpr int hopper_width = 8, hopper_height = 32, hopper_filters = 128; // of the largest tile
constexpr int hopper_slice = 64, hopper_row_bytes = 2 * hopper_slice * hopper_width;
constexpr int hopper_filter_box = 32, hopper_filter_bytes = 2 * hopper_slice; // filters of a copy, bytes of one
static_assert(hopper_row_bytes % swizzle_bytes == 0 && hopper_filter_box * hopper_filter_bytes % swizzle_bytes == 0);

// Places of so many bytes in shared memory that are filled by copies and read by all consumers, one
// after the other.
template <int stages, int size> struct Ring {
    static constexpr int places = stages, bytes = stages * size;
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

    // Waits until the place is free, and says how many bytes will come there. In the first round
    // that is at once: the phase before a barrier's first has the other parity and is over.
    __device__ unsigned char *fill(int bytes) {
        barrier_wait(full + stages + stage, parity ^ 1);
        barrier_expect(full + stage, bytes);
        return memory + stage * size;
    }

    // Waits until the place is filled.
    __device__ const unsigned char *read() {
        barrier_wait(full + stage, parity);
        return memory + stage * size;
    }

    // Leaves the place before this one; by one thread of each warp.
    __device__ void leave_last() { barrier_arrive(full + stages + (stage == 0 ? stages : stage) - 1); }
};

// Boxes of positions, and the filters of taps.
struct BoxRing : Ring<3, (hopper_height + 2) * hopper_row_bytes> {
    using Ring::Ring;

    // Has a box of the map copied from a column and a row on, of so many rows: by the first of the
    // map's descriptions, or by the second for rows of a piece.
    __device__ void copy(const TensorMap *maps, int channel, int column, int row, int rows) {
        unsigned char *to = fill((rows + 2) * hopper_row_bytes);
        copy_box(to, maps + (rows < hopper_height), full + stage, channel, column, row - 1);
        next();
    }
};
struct TapRing : Ring<7, hopper_filters * hopper_filter_bytes> {
    using Ring::Ring;

    // Has so many filters copied, from an element of theirs on.
    __device__ void copy(const TensorMap *map, int element, int filter, int filters) {
        unsigned char *to = fill(filters * hopper_filter_bytes);
        for (int i = 0; i < filters; i += hopper_filter_box)
            copy_box(to + i * hopper_filter_bytes, map, full + stage, element, filter + i);
        next();
    }
};

// How a convolution is cut up: into tiles of so many filters, each of so many parts of the depth. As
// many as whole says are taken as they are, and the others in pieces of so many rows and filters.
struct HopperTiling {
    int columns, parts, whole, piece_rows, piece_columns;
    MatrixShape shape;

    __device__ int across() const { return (shape.width + hopper_width - 1) / hopper_width; }
    __device__ int places() const { return (shape.height + hopper_height - 1) / hopper_height * across(); }
    __device__ int by_filters() const { return (shape.out + columns - 1) / columns; }
    __device__ int pieces_across() const { return columns / piece_columns; }
    __device__ int pieces() const { return hopper_height / piece_rows * pieces_across(); }
    __device__ int count() const { return whole + (places() * by_filters() * parts - whole) * pieces(); }
};

// A tile or a piece of one, and which of three taps below each other of a slice of channels are
// summed for it.
struct HopperTile {
    int rows, columns, row0, column0, filter0, part, first, end;

    // Those of the same positions follow each other.
    __device__ HopperTile(int number, const HopperTiling &t) : rows(hopper_height), columns(t.columns) {
        int piece = 0;
        if (number >= t.whole) {
            piece = (number - t.whole) % t.pieces();
            number = t.whole + (number - t.whole) / t.pieces();
            rows = t.piece_rows, columns = t.piece_columns;
        }
        const int place = number / t.by_filters() % t.places(), triples = 3 * (t.shape.in / hopper_slice);
        part = number / t.by_filters() / t.places();
        filter0 = number % t.by_filters() * t.columns + piece % t.pieces_across() * columns;
        row0 = place / t.across() * hopper_height + piece / t.pieces_across() * rows;
        column0 = place % t.across() * hopper_width;
        first = triples * part / t.parts, end = triples * (part + 1) / t.parts;
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

// The products of a tap of 64 channels, of which a thread has the sums of each 64 positions.
template <class T, int strips, int columns>
__device__ __forceinline__ void multiply_tap(float (&sums)[strips][columns / 2], const unsigned char *rows,
                                             const unsigned char *filter_rows) {
    products_begin();
#pragma unroll
    for (int k = 0; k < hopper_slice / 16; k++)
#pragma unroll
        for (int i = 0; i < strips; i++)
            multiply_group<T>(sums[i], matrix_at(rows + 8 * i * hopper_row_bytes) + 2 * k,
                              matrix_at(filter_rows) + 2 * k, true);
    products_commit();
}

// Which tiles a block comes to: from number on, before end, and whether it has made none yet.
struct HopperTurn {
    int number, end;
    bool first;
};

// A convolution, as the kernel's contract below says.
template <class T> struct HopperConvolution {
    T *y;
    MaxPool<T> pool;
    float *part_sums;
    const TensorMap *x, *filters;
    HopperPull pull;
    FinishWide<T> finish;
    HopperTiling tiling;

    // By one thread: has all that a tile is made of copied.
    __device__ void copy(const HopperTile &tile, BoxRing &boxes, TapRing &taps) const {
        for (int slice = 0; slice < pull.slices(tile, tiling.shape); slice++) {
            const int channel = slice * hopper_slice;
            boxes.copy(pull.x, channel, tile.column0, tile.row0, tile.rows);
            taps.copy(pull.matrix, channel, tile.filter0, tile.columns);
        }
        for (int triple = tile.first; triple < tile.end; triple++) {
            const int channel = triple / 3 * hopper_slice, across = triple % 3;
            boxes.copy(x, channel, tile.column0 + across - 1, tile.row0, tile.rows);
            for (int down = 0; down < 3; down++)
                taps.copy(filters, (3 * down + across) * tiling.shape.in + channel, tile.filter0, tile.columns);
        }
    }

    // By the threads that multiply: makes a tile of so many rows and filters, the block's first or
    // another.
    template <int rows, int columns>
    __device__ __forceinline__ void make(const HopperTile &tile, BoxRing &boxes, TapRing &taps, CopyBarrier *ahead,
                                         bool first) const {
        constexpr int strips = rows / 16; // of 8×8 positions, which a group has
        const MatrixShape shape = tiling.shape;
        const int thread = threadIdx.x - hopper_producers, lane = thread % warp_size, group = thread / 128;
        const bool in_parts = tiling.parts > 1;
        const int filters_there = columns % 64 == 0 ? columns : min(columns, shape.out - tile.filter0);
        auto element = [&](int row, int column) {
            return (Int(row) * shape.width + column) * shape.out + tile.filter0;
        };
        {
            const int row = tile.row0 + thread / hopper_width, column = tile.column0 + thread % hopper_width;
            if (!in_parts && thread < rows * hopper_width && row < shape.height && column < shape.width)
                finish.announce(element(row, column), filters_there);
        }
        // The groups come to be three taps apart in the first tile: where that begins with slices
        // of what is pulled back, of which there may be more than places for boxes, by way of one.
        const int slices = pull.slices(tile, shape);
        if (group == 1 && first && slices > 0) barrier_wait(ahead + 1, 0);
        float sums[strips][columns / 2];
        for (auto &strip : sums)
            for (float &sum : strip) sum = 0;
        const int group_rows = group * (rows / 2) * hopper_row_bytes;
#pragma unroll 1 // or else the compiler makes the products of few columns one by one
        for (int slice = 0; slice < slices; slice++) {
            multiply_tap<T, strips, columns>(sums, boxes.read() + group_rows + hopper_row_bytes, taps.read());
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
            for (auto &strip : sums)
                for (float &sum : strip) sum *= factor;
        }
        if (group == 1 && first) barrier_wait(ahead, 0);
        for (int triple = tile.first; triple < tile.end; triple++) {
            const unsigned char *box = boxes.read() + group_rows;
#pragma unroll
            for (int down = 0; down < 3; down++) {
                multiply_tap<T, strips, columns>(sums, box + down * hopper_row_bytes, taps.read());
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
        const int row0 = tile.row0 + group * (rows / 2) + thread / warp_size % 4 * 2;
        const int column = tile.column0 + lane / 4, channel0 = lane % 4 * neighbours;
        Int at[2 * strips];
        bool there[2 * strips];
#pragma unroll
        for (int i = 0; i < 2 * strips; i++) {
            const int row = row0 + i / 2 * 8 + i % 2;
            at[i] = element(row, column) + channel0;
            there[i] = row < shape.height && column < shape.width;
        }
        float *part = part_sums + Int(tile.part) * shape.height * shape.width * shape.out;
#pragma unroll // accumulators that are reached by a variable aren't in registers
        for (int c = 0; c < columns / 32; c++) {
            if (32 * c >= filters_there) break;
            typename FinishWide<T>::OfFilters of_filters;
            typename FinishWide<T>::OfPosition of_position[2 * strips];
            if (!in_parts) {
                of_filters = finish.of_filters(tile.filter0 + channel0 + 32 * c);
#pragma unroll
                for (int i = 0; i < 2 * strips; i++) of_position[i] = finish.of_position(at[i] + 32 * c, there[i]);
            }
#pragma unroll
            for (int i = 0; i < 2 * strips; i += 2) {
                alignas(16) unsigned results[2][FinishWide<T>::OfPosition::words];
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    alignas(16) float own[neighbours];
#pragma unroll
                    for (int k = 0; k < neighbours; k++) own[k] = sums[i / 2][4 * (4 * c + k / 2) + 2 * half + k % 2];
                    if (in_parts) {
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

    // The same with all of a turn. Pieces may lie below the map.
    template <int rows, int columns>
    __device__ __forceinline__ void make_all(HopperTurn &turn, BoxRing &boxes, TapRing &taps,
                                             CopyBarrier *ahead) const {
        for (; turn.number < turn.end; turn.number += gridDim.x) {
            const HopperTile tile(turn.number, tiling);
            if (tile.row0 >= tiling.shape.height) continue;
            make<rows, columns>(tile, boxes, taps, ahead, turn.first);
            turn.first = false;
        }
    }

    // The whole of the kernel.
    __device__ void run() const {
        if constexpr (!hopper_code) return barriers_begun(); // a trap, and the rest is left out
        DYNAMIC_SHARED(unsigned char, raw);
        constexpr int boxes_there = BoxRing::places;
        unsigned char *const shared = raw + (swizzle_bytes - shared_address(raw) % swizzle_bytes) % swizzle_bytes;
        unsigned char *const behind_boxes = shared + BoxRing::bytes;
        auto *const ahead = reinterpret_cast<CopyBarrier *>(behind_boxes + TapRing::bytes);
        BoxRing boxes(shared, ahead + 2);
        TapRing taps(behind_boxes, ahead + 2 + 2 * boxes_there);
        const int tiles = tiling.count();

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
            for (const TensorMap *map : {x, x + 1, filters}) acquire_map(map);
            if (pull.x)
                for (const TensorMap *map : {pull.x, pull.x + 1, pull.matrix}) acquire_map(map);
            for (int number = blockIdx.x; number < tiles; number += gridDim.x) {
                const HopperTile tile(number, tiling);
                if (tile.row0 < tiling.shape.height) copy(tile, boxes, taps);
            }
            return;
        }

        more_registers<232>();
        HopperTurn turn = {int(blockIdx.x), tiling.whole, true};
        if (tiling.columns == 128)
            make_all<32, 128>(turn, boxes, taps, ahead);
        else if (tiling.columns == 96)
            make_all<32, 96>(turn, boxes, taps, ahead);
        else
            make_all<32, 64>(turn, boxes, taps, ahead);
        turn.end = tiles;
        if (tiling.piece_columns == 32)
            make_all<16, 32>(turn, boxes, taps, ahead);
        else if (tiling.piece_rows == 16)
            make_all<16, 64>(turn, boxes, taps, ahead);
        else
            make_all<32, 64>(turn, boxes, taps, ahead);
    }
};

// As convolution_matrix…, with x and filters by tensor maps in device memory: of x two of the same
// map, sizes (in, width, height), the first with the box (64, 8, 34), the second with (64, 8, 18);
// of filters, sizes (9·in, out), box (64, 32); all with a swizzle of 128 bytes and zeros outside.
// Filters are from arrange_hopper_filters_…. in: a multiple of 64. parts: 3·in/64 at most.
//
// The ⌈width/8⌉·⌈height/32⌉·⌈out/columns⌉·parts tiles are of 32 rows by columns filters, 128, 96 or
// 64. Those from whole on, if there are any, are taken in pieces of piece_rows by piece_columns: 32 by
// 64, 16 by 64 or 16 by 32, where columns are a multiple of 64. Results are the same bit by bit
// whatever the tiles are, for as many parts.
//
// pooled (⌊height/2⌋·⌊width/2⌋ × out), which may be null and is so where parts > 1, gets the
// maxima as by pool_max_…, multiplied by scale.
//
// Where pulled isn't null, which is two tensor maps like those of x but of a map like y, matrix is a
// symmetric one of out×out elements with rows in the order of filters, sizes (out, out), box (64,
// 32), and *factor·(pulled·matrix) is added before bias is.
//
// Blocks of 384 threads; 220,416 bytes of dynamic shared memory; any one-dimensional grid, of which
// as many blocks have something to do as there are tiles and pieces. Compute capability 9.0 only.
#define CONVOLUTION_HOPPER(suffix, T)                                                                                  \
    KERNEL((hopper_threads, 1), convolution_hopper_##suffix, T *y, T *pooled, double scale, float *parts_memory,       \
           Int parts, const TensorMap *x, const TensorMap *filters, const TensorMap *pulled, const TensorMap *matrix,  \
           const float *factor, const float *bias, const T *addend, const T *mask, Int flags, Int columns, Int whole,  \
           Int piece_rows, Int piece_columns, Int in, Int out, Int height, Int width) {                                \
        const HopperTiling tiling = {                                                                                  \
            int(columns),    int(parts),         int(whole),                                                           \
            int(piece_rows), int(piece_columns), {int(in), int(out), int(height), int(width)}};                        \
        HopperConvolution<T>{y,                                                                                        \
                             {pooled, float(scale)},                                                                   \
                             parts_memory,                                                                             \
                             x,                                                                                        \
                             filters,                                                                                  \
                             {pulled, matrix, factor},                                                                 \
                             {nullptr, bias, addend, mask, (flags & 2) != 0},                                          \
                             tiling}                                                                                   \
            .run();                                                                                                    \
    }
CONVOLUTION_HOPPER(f16, f16)
CONVOLUTION_HOPPER(bf16, bf16)
#undef CONVOLUTION_HOPPER
