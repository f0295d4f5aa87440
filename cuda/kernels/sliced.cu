// Sliced Wasserstein distances, package pure's Sliced: features projected on lines,
// sorted there, and matched by their quantiles.
//
// Lines are rows of values, one a direction. With K lines, a map of N and a target of M
// positions, both of C channels:
//
//	lines_…               x's and y's projections, K×N and K×M
//	sort_keys, 4 times sort_count, sort_scan, sort_scatter   either's lines in order
//	target_sums           running sums of the target's lines
//	match_lines           slopes at x's projections, and the distances
//	sum_partials          the loss
//	spread_lines          the gradient
#include "device.h"
#include "places.h"
#include "tile.h"

constexpr int line_threads = 256, line_tile = tile_products, line_depth = 16;

// lines (count × positions) = directions (count × channels) · xᵀ, x positions × channels.
// Blocks of 256 threads make 64 lines at 64 positions, 4×4 a thread; grid (⌈positions/64⌉,
// ⌈count/64⌉).
template <class T>
__device__ void project(float *lines, const T *x, const float *directions, Int count, Int channels, Int positions) {
    __shared__ float left[line_depth][line_tile + 4], right[line_depth][line_tile + 4];
    const int thread = threadIdx.x;
    const Int line0 = Int(blockIdx.y) * line_tile, position0 = Int(blockIdx.x) * line_tile;
    float sums[4][4] = {};
    for (Int k0 = 0; k0 < channels; k0 += line_depth) {
        for (int i = thread; i < line_tile * line_depth; i += line_threads) {
            int k = i % line_depth, at = i / line_depth;
            bool inside = k0 + k < channels;
            left[k][at] = inside && line0 + at < count ? directions[(line0 + at) * channels + k0 + k] : 0.f;
            right[k][at] =
                inside && position0 + at < positions ? to_float(x[(position0 + at) * channels + k0 + k]) : 0.f;
        }
        __syncthreads();
        multiply_tile(sums, left, right);
        __syncthreads();
    }
    store_tile(lines, sums, line0, position0, count, positions);
}
#define LINES(suffix, T)                                                                                               \
    KERNEL((line_threads), lines_##suffix, float *lines, const T *x, const float *directions, Int count, Int channels, \
           Int positions) {                                                                                            \
        project(lines, x, directions, count, channels, positions);                                                     \
    }
LINES(f32, float)
LINES(f16, f16)
LINES(bf16, bf16)
#undef LINES

// gradient (positions × channels) = linesᵀ (count × positions) · directions (count ×
// channels). Blocks of 256 threads make 64 positions by 64 channels; grid (⌈positions/64⌉,
// ⌈channels/64⌉).
KERNEL((line_threads), spread_lines, float *gradient, const float *lines, const float *directions, Int count,
       Int channels, Int positions) {
    __shared__ float left[line_depth][line_tile], right[line_depth][line_tile];
    const int thread = threadIdx.x;
    const Int position0 = Int(blockIdx.x) * line_tile, channel0 = Int(blockIdx.y) * line_tile;
    float sums[4][4] = {};
    for (Int k0 = 0; k0 < count; k0 += line_depth) {
        for (int i = thread; i < line_tile * line_depth; i += line_threads) {
            Int k = k0 + i / line_tile, p = position0 + i % line_tile, c = channel0 + i % line_tile;
            left[i / line_tile][i % line_tile] = k < count && p < positions ? lines[k * positions + p] : 0.f;
            right[i / line_tile][i % line_tile] = k < count && c < channels ? directions[k * channels + c] : 0.f;
        }
        __syncthreads();
        multiply_tile(sums, left, right);
        __syncthreads();
    }
    store_tile(gradient, sums, position0, channel0, positions, channels);
}

// Sorting of all lines at a time, by 8 bits of the keys after another from the lowest on:
// each pass counts digits by tiles of 4,096, sums the counts up, and puts every item in its
// place. It is stable, so that what comes of equal keys doesn't depend on chance.
//
// An item is a key, or, with places, a key and where it came from: 4 or 8 bytes.
constexpr int sort_threads = 256, sort_warps = sort_threads / warp_size, digits = 256;
constexpr int sort_items = 16, sort_tile = sort_threads * sort_items;

// An integer that is ordered as values are, those that aren't numbers beyond the
// infinities; the same for both zeros.
__device__ inline unsigned sort_key(float v) {
    unsigned bits = __float_as_uint(v + 0.f); // −0 + 0 is 0
    return bits ^ (bits >> 31 ? 0xffffffffu : 0x80000000u);
}
__device__ inline float key_value(unsigned key) {
    return __uint_as_float(key ^ (key >> 31 ? 0x80000000u : 0xffffffffu));
}

// Items of lines (count × n). Any grid (x, count) of blocks of 256 threads.
KERNEL((sort_threads), sort_keys, unsigned *items, const float *lines, Int n) {
    for (Int i = first_index(); i < n; i += index_step())
        items[blockIdx.y * n + i] = sort_key(lines[blockIdx.y * n + i]);
}
KERNEL((sort_threads), sort_places, Place *items, const float *lines, Int n) {
    for (Int i = first_index(); i < n; i += index_step())
        items[blockIdx.y * n + i] = {sort_key(lines[blockIdx.y * n + i]), unsigned(i)};
}

// counts (count × 256 × tiles) = how many items of each tile have each digit. Blocks of 256
// threads, grid (tiles, count) with tiles = ⌈n/4096⌉, as for sort_scatter_….
template <class Item> __device__ void count_digits(unsigned *counts, const Item *items, Int shift, Int n) {
    __shared__ unsigned mine[digits];
    const Int first = Int(blockIdx.x) * sort_tile;
    const Item *line = items + blockIdx.y * n;
    mine[threadIdx.x] = 0;
    __syncthreads();
    for (int i = threadIdx.x; i < sort_tile; i += sort_threads)
        if (first + i < n) atomicAdd(&mine[key_of(line[first + i]) >> shift & (digits - 1)], 1u);
    __syncthreads();
    counts[(blockIdx.y * digits + threadIdx.x) * gridDim.x + blockIdx.x] = mine[threadIdx.x];
}
KERNEL((sort_threads), sort_count, unsigned *counts, const unsigned *items, Int shift, Int n) {
    count_digits(counts, items, shift, n);
}
KERNEL((sort_threads), sort_count_places, unsigned *counts, const Place *items, Int shift, Int n) {
    count_digits(counts, items, shift, n);
}

// The exclusive sum of a value of each thread of a block of 256, and the total.
template <class T> __device__ T exclusive_sum(T value, T &total) {
    __shared__ T warps[sort_warps];
    block_is_of(sort_threads);
    const int lane = threadIdx.x % warp_size, warp = threadIdx.x / warp_size;
    T sum = value;
    for (int by = 1; by < warp_size; by *= 2) {
        T other = __shfl_up_sync(all_lanes, sum, by);
        if (lane >= by) sum += other;
    }
    __syncthreads();
    if (lane == warp_size - 1) warps[warp] = sum;
    __syncthreads();
    T before = 0;
    total = 0;
    for (int i = 0; i < sort_warps; i++) {
        if (i < warp) before += warps[i];
        total += warps[i];
    }
    return before + sum - value;
}

// Replaces a line's counts by the sums of those before. A thread takes 16 at a time. Blocks
// of 256 threads; grid: one a line.
KERNEL((sort_threads), sort_scan, unsigned *counts, Int tiles) {
    constexpr int each = 16;
    unsigned *line = counts + blockIdx.x * digits * tiles, before = 0;
    const Int n = digits * tiles; // a multiple of 16
    for (Int first = 0; first < n; first += sort_threads * each) {
        const Int i0 = first + threadIdx.x * each;
        Wide<unsigned> values[each / 4] = {};
        unsigned mine = 0, total;
        for (int i = 0; i < each / 4; i++) {
            if (i0 < n) values[i] = load_wide(line + i0 + 4 * i);
            for (unsigned &v : values[i].at) {
                const unsigned sum = mine;
                mine += v;
                v = sum;
            }
        }
        const unsigned sum = before + exclusive_sum(mine, total);
        for (int i = 0; i < each / 4; i++) {
            for (unsigned &v : values[i].at) v += sum;
            if (i0 < n) store_wide(line + i0 + 4 * i, values[i]);
        }
        before += total;
    }
}

// Puts items in their places by a digit. A warp takes 512 in 16 rounds; the lanes that have
// the same digit in a round find each other.
template <class Item> __device__ void scatter(Item *to, const Item *items, const unsigned *counts, Int shift, Int n) {
    __shared__ unsigned seen[sort_warps][digits];
    const int lane = threadIdx.x % warp_size, warp = threadIdx.x / warp_size;
    const Int line = blockIdx.y * n, first = Int(blockIdx.x) * sort_tile + warp * warp_size * sort_items;
    for (int i = lane; i < digits; i += warp_size) seen[warp][i] = 0;
    __syncwarp();
    Item item[sort_items];
    unsigned rank[sort_items];
#pragma unroll
    for (int round = 0; round < sort_items; round++) {
        const Int i = first + round * warp_size + lane;
        const bool inside = i < n;
        if (inside) item[round] = items[line + i];
        const unsigned digit = inside ? key_of(item[round]) >> shift & (digits - 1) : digits;
        const unsigned peers = __match_any_sync(all_lanes, digit);
        if (inside) rank[round] = seen[warp][digit] + __popc(peers & ((1u << lane) - 1));
        __syncwarp();
        if (inside && lane == __ffs(peers) - 1) seen[warp][digit] += __popc(peers);
        __syncwarp();
    }
    __syncthreads();
    unsigned before = counts[(blockIdx.y * digits + threadIdx.x) * gridDim.x + blockIdx.x];
    for (int i = 0; i < sort_warps; i++) {
        unsigned mine = seen[i][threadIdx.x];
        seen[i][threadIdx.x] = before;
        before += mine;
    }
    __syncthreads();
#pragma unroll
    for (int round = 0; round < sort_items; round++)
        if (first + round * warp_size + lane < n)
            to[line + seen[warp][key_of(item[round]) >> shift & (digits - 1)] + rank[round]] = item[round];
}
KERNEL((sort_threads), sort_scatter, unsigned *to, const unsigned *items, const unsigned *counts, Int shift, Int n) {
    scatter(to, items, counts, shift, n);
}
KERNEL((sort_threads), sort_scatter_places, Place *to, const Place *items, const unsigned *counts, Int shift, Int n) {
    scatter(to, items, counts, shift, n);
}

// sums (count × m) = of each line of sorted items the sum of the values before. Blocks of
// 256 threads; grid: one a line.
KERNEL((sort_threads), target_sums, double *sums, const unsigned *items, Int m) {
    constexpr int each = 32;
    const unsigned *line = items + blockIdx.x * m;
    double *to = sums + blockIdx.x * m, before = 0;
    for (Int first = 0; first < m; first += sort_threads * each) {
        double values[each], mine = 0, total;
        const Int i0 = first + threadIdx.x * each;
        for (int i = 0; i < each; i++) {
            values[i] = i0 + i < m ? double(key_value(line[i0 + i])) : 0;
            mine += values[i];
        }
        double sum = before + exclusive_sum(mine, total);
        for (int i = 0; i < each; i++) {
            if (i0 + i < m) to[i0 + i] = sum;
            sum += values[i];
        }
        before += total;
    }
}

// What a line's sorted target sums up to over the steps before one of n·m.
__device__ inline double target_integral(const unsigned *y, const double *sums, Int step, Int n, Int m) {
    const Int j = step / n;
    if (j == m) return double(n) * (sums[m - 1] + double(key_value(y[m - 1])));
    return double(n) * sums[j] + double(step - j * n) * double(key_value(y[j]));
}

// slopes (count × n) = *factor·2/n·(x − what x is moved to), in the order of the lines before
// they were sorted, and partials (count × blocks of x) = the blocks' shares of *factor·W₂².
// x, y: sorted items; sums: target_sums of y. The quantile functions of both are steps; equal
// x all move to the mean of what they would move to. Any grid (x, count) of blocks of 256
// threads.
KERNEL((sort_threads), match_lines, float *slopes, double *partials, const Place *x, const unsigned *y,
       const double *sums, const double *factor, Int n, Int m) {
    const Place *items = x + blockIdx.y * n;
    const unsigned *target = y + blockIdx.y * m;
    const double *before = sums + blockIdx.y * m, weight = *factor;
    double total = 0;
    for (Int i = first_index(); i < n; i += index_step()) {
        const unsigned key = items[i].key;
        const double v = key_value(key);
        // Steps are cut where either changes, in units of 1/(n·m).
        double sum = 0;
        const Int end = (i + 1) * m;
        for (Int at = i * m; at < end;) {
            const Int j = at / n, cut = min(end, (j + 1) * n);
            const double width = double(cut - at), to = key_value(target[j]);
            total += width * (v - to) * (v - to);
            sum += width * to;
            at = cut;
        }
        double matched = sum / double(m);
        if ((i > 0 && items[i - 1].key == key) || (i + 1 < n && items[i + 1].key == key)) {
            const Int first = lower_bound(items, n, key), last = first + lower_bound(items + first, n - first, key + 1);
            matched =
                (target_integral(target, before, last * m, n, m) - target_integral(target, before, first * m, n, m)) /
                (double(last - first) * double(m));
        }
        slopes[blockIdx.y * n + items[i].from] = float(weight * 2 / double(n) * (v - matched));
    }
    total = block_sum<sort_threads>(total);
    if (threadIdx.x == 0) partials[blockIdx.y * gridDim.x + blockIdx.x] = weight * total / double(n) / double(m);
}

// *factor = what each line's distance counts for: 1/lines and, where scaled is 1, divided by
// the target's mean square, its sum of squares being *squares over length values. One thread.
KERNEL((sort_threads), sliced_factor, double *factor, const double *squares, Int scaled, Int lines, Int length) {
    if (threadIdx.x > 0) return;
    double value = 1 / double(lines);
    if (scaled) value /= *squares / double(length) + 1e-8;
    *factor = value;
}

// keys (count × n) = those of sorted items. Any grid (x, count) of blocks of 256 threads.
KERNEL((sort_threads), place_keys, unsigned *keys, const Place *items, Int n) {
    for (Int i = first_index(); i < n; i += index_step()) keys[blockIdx.y * n + i] = items[blockIdx.y * n + i].key;
}

// partials (parts × count × channels) = lines (count × positions) · x (positions × channels)
// over each part of the positions, in float32 over 16 positions, in float64 over those;
// sum_rows adds the parts up. Blocks of 256 threads make 64 lines by 64 channels; grid
// (⌈count/64⌉, ⌈channels/64⌉, parts).
template <class T>
__device__ void line_products(double *partials, const float *lines, const T *x, Int count, Int channels,
                              Int positions) {
    __shared__ float left[line_depth][line_tile + 4], right[line_depth][line_tile + 4];
    const int thread = threadIdx.x;
    const Int line0 = Int(blockIdx.x) * line_tile, channel0 = Int(blockIdx.y) * line_tile;
    const Int begin = positions * blockIdx.z / gridDim.z, end = positions * (blockIdx.z + 1) / gridDim.z;
    double totals[4][4] = {};
    for (Int p0 = begin; p0 < end; p0 += line_depth) {
        for (int i = thread; i < line_tile * line_depth; i += line_threads) {
            Int p = p0 + i % line_depth, line = line0 + i / line_depth;
            left[i % line_depth][i / line_depth] = p < end && line < count ? lines[line * positions + p] : 0.f;
            Int q = p0 + i / line_tile, channel = channel0 + i % line_tile;
            right[i / line_tile][i % line_tile] =
                q < end && channel < channels ? to_float(x[q * channels + channel]) : 0.f;
        }
        __syncthreads();
        multiply_tile(totals, left, right);
        __syncthreads();
    }
    store_tile(partials + blockIdx.z * count * channels, totals, line0, channel0, count, channels);
}
#define LINE_PRODUCTS(suffix, T)                                                                                       \
    KERNEL((line_threads), line_products_##suffix, double *partials, const float *lines, const T *x, Int count,        \
           Int channels, Int positions) {                                                                              \
        line_products(partials, lines, x, count, channels, positions);                                                 \
    }
LINE_PRODUCTS(f32, float)
LINE_PRODUCTS(f16, f16)
LINE_PRODUCTS(bf16, bf16)
#undef LINE_PRODUCTS

// A step of the ascent: directions (count × channels) become the slopes of the distances by
// them, with a little of themselves kept, made orthonormal by Gram's and Schmidt's method,
// twice over; rounded has them in float32. count is 64 at most. One block of 256 threads.
constexpr int most_turned = 64;

KERNEL((line_threads), turn_directions, double *directions, float *rounded, const double *slopes, Int count,
       Int channels) {
    constexpr double persistence = 1e-3, smallest = 1.401298464324817e-45;
    __shared__ double along[most_turned];
    const int warp = threadIdx.x / warp_size, lane = threadIdx.x % warp_size;
    double squares = 0;
    for (Int i = threadIdx.x; i < count * channels; i += line_threads) squares += slopes[i] * slopes[i];
    squares = block_sum<line_threads>(squares);
    const double keep = persistence * sqrt(squares / double(count)) + smallest;
    for (Int i = threadIdx.x; i < count * channels; i += line_threads) directions[i] = keep * directions[i] + slopes[i];
    __syncthreads();
    auto dot = [&](const double *a, const double *b) { // of a warp
        double sum = 0;
        for (Int c = lane; c < channels; c += warp_size) sum += a[c] * b[c];
        return warp_sum(sum);
    };
    for (int line = 0; line < count; line++) {
        double *row = directions + line * channels;
        for (int pass = 0; pass < 3; pass++) {
            // Length one, then without what the lines before have of it, and that once more.
            double length = 0;
            for (Int c = threadIdx.x; c < channels; c += line_threads) length += row[c] * row[c];
            length = sqrt(block_sum<line_threads>(length));
            for (int other = warp; pass < 2 && other < line; other += line_threads / warp_size) {
                double sum = dot(row, directions + other * channels);
                if (lane == 0) along[other] = sum / length;
            }
            __syncthreads();
            for (Int c = threadIdx.x; c < channels; c += line_threads) {
                double v = row[c] / length;
                for (int other = 0; pass < 2 && other < line; other++)
                    v -= along[other] * directions[other * channels + c];
                row[c] = v;
                rounded[line * channels + c] = float(v);
            }
            __syncthreads();
        }
    }
}
