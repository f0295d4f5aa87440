// 3×3 convolutions and their gradients in float32 arithmetic, for any number of
// channels, any border and any type of map; filters and their layouts.
//
// A convolution is a product of matrices: one row a position, 9·In values of the
// window round it deep, one column a filter. Blocks make 128 positions by 64
// filters, threads 8 by 4, from slices of 16 in depth that lie in shared memory;
// the next slice is on its way in registers meanwhile. Per slice and thread 512
// multiplications and 48 words from shared memory, which leaves it bound by
// arithmetic.
#include "finish.h"

// What a convolution does besides, as bits of its flags.
constexpr Int replicate_border = 1, rectify_result = 2;

constexpr int plain_threads = 256, plain_rows = 128, plain_columns = 64, plain_depth = 16;

// Where a convolution's input lies and what it is seen through: element (position,
// channel) is at position·position_step + channel·channel_step.
template <class T> struct Source {
    const T *x;
    const T *mask;       // where it isn't positive, x counts as 0; null for none
    const float *colour; // outside the map; null for zeros
    Int position_step, channel_step;
    int height, width, channels;
    bool replicate;

    __device__ float at(int row, int column, int channel) const {
        bool inside = unsigned(row) < unsigned(height) && unsigned(column) < unsigned(width);
        if (!inside) {
            if (!replicate) return colour ? colour[channel] : 0.f;
            row = min(max(row, 0), height - 1);
            column = min(max(column, 0), width - 1);
        }
        Int i = (Int(row) * width + column) * position_step + channel * channel_step;
        if (mask && !(to_float(mask[i]) > 0)) return 0.f;
        return to_float(x[i]);
    }
};

// What becomes of a result before it is stored: (sum·factor + bias, rectified) +
// addend, zero where mask isn't positive. Null pointers leave their part out.
template <class T> struct Finish {
    const float *factor, *bias;
    const T *addend, *mask;
    bool rectify;

    __device__ float operator()(float sum, Int at, int channel) const {
        if (factor) sum *= *factor;
        if (bias) sum += bias[channel];
        if (rectify && sum < 0) sum = 0;
        if (addend) sum += to_float(addend[at]);
        if (mask && !(to_float(mask[at]) > 0)) sum = 0;
        return sum;
    }
};

// Adds the products of 8 positions with 4 filters.
__device__ __forceinline__ void multiply_slice(float (&sums)[8][4], const float *row, const float *column) {
    float a[8], b[4];
#pragma unroll
    for (int i = 0; i < 8; i++) a[i] = row[i];
#pragma unroll
    for (int j = 0; j < 4; j++) b[j] = column[j];
#pragma unroll
    for (int i = 0; i < 8; i++)
#pragma unroll
        for (int j = 0; j < 4; j++) sums[i][j] += a[i] * b[j];
}

// Finishes and stores the sums of 8 positions and 4 filters from these numbers on.
template <class U>
__device__ __forceinline__ void store_sums(U *y, const float (&sums)[8][4], const Finish<U> &finish, int position,
                                           int positions, int filter, int out) {
    struct alignas(4 * sizeof(U)) Four {
        U at[4];
    };
    const bool together =
        filter + 4 <= out && out % 4 == 0 && reinterpret_cast<unsigned long long>(y) % sizeof(Four) == 0;
#pragma unroll // sums that are reached by a variable aren't in registers
    for (int i = 0; i < 8; i++) {
        if (position + i >= positions) continue;
        const Int at = Int(position + i) * out + filter;
        Four four;
#pragma unroll
        for (int j = 0; j < 4; j++)
            if (filter + j < out) four.at[j] = from_float<U>(finish(sums[i][j], at + j, filter + j));
        if (together) {
            *reinterpret_cast<Four *>(y + at) = four;
            continue;
        }
#pragma unroll
        for (int j = 0; j < 4; j++)
            if (filter + j < out) y[at + j] = four.at[j];
    }
}

// aligned: channels lie side by side, a multiple of 16 of them, on 16 bytes.
template <int taps, bool aligned, class U, class T>
__device__ void convolve_by(U *y, const Source<T> &source, const float *filters, const Finish<U> &finish, int out) {
    alignas(16) __shared__ float rows[plain_depth][plain_rows + 4];
    alignas(16) __shared__ float columns[plain_depth][plain_columns];
    const int thread = threadIdx.x, positions = source.height * source.width, depth = taps * source.channels;
    const int position0 = blockIdx.x * plain_rows, column0 = blockIdx.y * plain_columns;

    // This thread brings half a slice of one position and a quarter of one depth of
    // the filters.
    const int load_row = thread / 2, load_k = thread % 2 * 8;
    const int load_position = position0 + load_row;
    const int row = load_position / source.width, column = load_position % source.width;
    const int filter_k = thread / 16, filter_column = thread % 16 * 4;
    float next_row[8], next_filter[4];

    auto load_aligned = [&](int k0) {
        // The slice is of one tap.
        const int tap = k0 / source.channels, channel = k0 - tap * source.channels + load_k;
        int r = row + (taps == 9 ? tap / 3 - 1 : 0), c = column + (taps == 9 ? tap % 3 - 1 : 0);
        bool inside = unsigned(r) < unsigned(source.height) && unsigned(c) < unsigned(source.width);
        if (source.replicate) {
            r = min(max(r, 0), source.height - 1);
            c = min(max(c, 0), source.width - 1);
            inside = true;
        }
        inside = inside && load_position < positions;
        const bool coloured = !inside && source.colour && load_position < positions;
        const Int from = (Int(r) * source.width + c) * source.position_step + channel;
#pragma unroll
        for (int i = 0; i < 8; i += Wide<T>::count) {
            Wide<T> values, seen;
            if (inside) values = load_wide(source.x + from + i);
            if (inside && source.mask) seen = load_wide(source.mask + from + i);
#pragma unroll
            for (int j = 0; j < Wide<T>::count; j++) {
                float v = inside ? to_float(values.at[j]) : coloured ? source.colour[channel + i + j] : 0.f;
                if (inside && source.mask && !(to_float(seen.at[j]) > 0)) v = 0;
                next_row[i + j] = v;
            }
        }
    };
    auto load_any = [&](int k0) {
        for (int i = 0; i < 8; i++) {
            int k = k0 + load_k + i;
            int tap = k / source.channels, channel = k - tap * source.channels;
            next_row[i] =
                k < depth && load_position < positions
                    ? source.at(row + (taps == 9 ? tap / 3 - 1 : 0), column + (taps == 9 ? tap % 3 - 1 : 0), channel)
                    : 0.f;
        }
    };
    auto load = [&](int k0) {
        if constexpr (aligned)
            load_aligned(k0);
        else
            load_any(k0);
        int k = k0 + filter_k;
        for (int i = 0; i < 4; i++) {
            int o = column0 + filter_column + i;
            next_filter[i] = k < depth && o < out ? filters[Int(k) * out + o] : 0.f;
        }
    };

    float sums[8][4] = {};
    const int first_row = thread / 16 * 8, first_column = thread % 16 * 4;
    load(0);
    for (int k0 = 0; k0 < depth; k0 += plain_depth) {
        for (int i = 0; i < 8; i++) rows[load_k + i][load_row] = next_row[i];
        for (int i = 0; i < 4; i++) columns[filter_k][filter_column + i] = next_filter[i];
        __syncthreads();
        if (k0 + plain_depth < depth) load(k0 + plain_depth);
#pragma unroll
        for (int k = 0; k < plain_depth; k++) multiply_slice(sums, rows[k] + first_row, columns[k] + first_column);
        __syncthreads();
    }
    store_sums(y, sums, finish, position0 + first_row, positions, column0 + first_column, out);
}

// For four channels at most: all of the depth at once.
constexpr int shallow_depth = 36;

template <class U, class T>
__device__ void convolve_shallow(U *y, const Source<T> &source, const float *filters, const Finish<U> &finish,
                                 int out) {
    alignas(16) __shared__ float rows[shallow_depth][plain_rows];
    alignas(16) __shared__ float columns[shallow_depth][plain_columns];
    const int thread = threadIdx.x, positions = source.height * source.width, depth = 9 * source.channels;
    const int position0 = blockIdx.x * plain_rows, column0 = blockIdx.y * plain_columns;
    const int position = position0 + thread % plain_rows;
    const int row = position / source.width, column = position % source.width;
    for (int k = thread / plain_rows; k < depth; k += plain_threads / plain_rows) {
        const int tap = k / source.channels, channel = k - tap * source.channels;
        rows[k][thread % plain_rows] =
            position < positions ? source.at(row + tap / 3 - 1, column + tap % 3 - 1, channel) : 0.f;
    }
    for (int i = thread; i < depth * plain_columns; i += plain_threads) {
        const int k = i / plain_columns, o = column0 + i % plain_columns;
        columns[k][i % plain_columns] = o < out ? filters[k * out + o] : 0.f;
    }
    __syncthreads();
    float sums[8][4] = {};
    const int first_row = thread / 16 * 8, first_column = thread % 16 * 4;
    for (int k = 0; k < depth; k++) multiply_slice(sums, rows[k] + first_row, columns[k] + first_column);
    store_sums(y, sums, finish, position0 + first_row, positions, column0 + first_column, out);
}

template <int taps, class U, class T>
__device__ void convolve(U *y, const Source<T> &source, const float *filters, const Finish<U> &finish, int out) {
    if (source.channel_step == 1 && source.channels % plain_depth == 0 && starts_wide(source.x) &&
        starts_wide(source.mask))
        convolve_by<taps, true>(y, source, filters, finish, out);
    else
        convolve_by<taps, false>(y, source, filters, finish, out);
}

// y (positions×out) = the convolution of x (positions×in) with filters, then bias,
// rectification, addend and mask as Finish says; bias (out), x_mask (like x), addend
// and mask (like y), colour (in) may be null. flags: 1 replicates the border, which
// otherwise is of the colour or zero; 2 rectifies. filters: 9·in × out of float32
// from arrange_plain_filters.
//
// Gradient to the map of a convolution with zeros or a colour round it: x is dy,
// x_mask that convolution's result if it was rectified, filters are arranged
// transposed, in and out are changed over, bias null, flags 0. add_edges makes it
// that of one with a replicated border.
//
// Blocks of 256 threads; grid (⌈positions/128⌉, ⌈out/64⌉). positions < 2³¹.
//
// convolution_picture_… reads x from float32 planes (in×positions) and has no x_mask.
#define CONVOLUTION(suffix, T)                                                                                         \
    KERNEL((plain_threads, 2), convolution_##suffix, T *y, const T *x, const float *filters, const float *bias,        \
           const T *x_mask, const T *addend, const T *mask, const float *colour, Int flags, Int in, Int out,           \
           Int height, Int width) {                                                                                    \
        const bool replicate = (flags & replicate_border) != 0, rectify = (flags & rectify_result) != 0;               \
        const Source<T> source{x, x_mask, colour, in, 1, int(height), int(width), int(in), replicate};                 \
        convolve<9>(y, source, filters, Finish<T>{nullptr, bias, addend, mask, rectify}, int(out));                    \
    }                                                                                                                  \
    KERNEL((plain_threads, 2), convolution_picture_##suffix, T *y, const float *x, const float *filters,               \
           const float *bias, const float *colour, Int flags, Int in, Int out, Int height, Int width) {                \
        const bool replicate = (flags & replicate_border) != 0, rectify = (flags & rectify_result) != 0;               \
        const Source<float> source{                                                                                    \
            x, nullptr, colour, 1, height * width, int(height), int(width), int(in), replicate};                       \
        const Finish<T> finish{nullptr, bias, nullptr, nullptr, rectify};                                              \
        if (9 * in <= shallow_depth)                                                                                   \
            convolve_shallow(y, source, filters, finish, int(out));                                                    \
        else                                                                                                           \
            convolve_by<9, false>(y, source, filters, finish, int(out));                                               \
    }
CONVOLUTION(f32, float)
CONVOLUTION(f16, f16)
CONVOLUTION(bf16, bf16)
#undef CONVOLUTION

// y (rows×out) = *factor·x·matrix + bias + addend, zero where mask isn't positive, with
// matrix in×out of float32; null pointers leave their part out. Blocks of 256 threads; grid
// (⌈rows/128⌉, ⌈out/64⌉). rows < 2³¹.
#define PRODUCT(suffix, T)                                                                                             \
    KERNEL((plain_threads, 2), product_##suffix, T *y, const T *x, const float *matrix, const float *factor,           \
           const float *bias, const T *addend, const T *mask, Int in, Int out, Int rows) {                             \
        const Source<T> source{x, nullptr, nullptr, in, 1, int(rows), 1, int(in), false};                              \
        convolve<1>(y, source, matrix, Finish<T>{factor, bias, addend, mask, false}, int(out));                        \
    }
PRODUCT(f32, float)
PRODUCT(f16, f16)
PRODUCT(bf16, bf16)
#undef PRODUCT

// Gradient to a picture of few channels. A block makes that of 16×16 pixels; the
// cotangent with a rim of one position lies in shared memory, 16 channels at a time. A
// quarter of the threads takes 4 of these channels, a thread 4 pixels below each other:
// 27 loads from shared memory for 144 multiplications. Quarters are summed in the end.
constexpr int picture_edge = 16, picture_slice = 16, picture_channels = 4;
constexpr int picture_threads = picture_edge * picture_edge;

template <class T>
__device__ void picture_gradient(float *dx, const Source<T> &source, const float *filters, int channels, int channel0) {
    constexpr int rim = picture_edge + 2, quarters = 4, pixels = 4, pitch = picture_slice + 1;
    // Four rows are 16 banks apart, so that the two halves of a warp never meet.
    constexpr int row_pitch = rim * pitch + 2;
    __shared__ float tile[rim * row_pitch];
    alignas(16) __shared__ float weights[9][picture_slice][picture_channels];
    static_assert(rim * row_pitch >= quarters * picture_threads * picture_channels);
    const int thread = threadIdx.x, quarter = thread / (picture_threads / quarters);
    const int column = thread % picture_edge, row = thread / picture_edge % 4 * pixels;
    const int row0 = blockIdx.y * picture_edge, column0 = blockIdx.x * picture_edge;
    const bool wide = source.channels % picture_slice == 0 && starts_wide(source.x) && starts_wide(source.mask);
    float sums[pixels][picture_channels] = {};
    for (int slice = 0; slice < source.channels; slice += picture_slice) {
        if (wide) {
            constexpr int count = Wide<T>::count, pieces = picture_slice / count;
            for (int i = thread; i < rim * rim * pieces; i += picture_threads) {
                const int place = i / pieces, r = place / rim, c = place - r * rim, channel = i % pieces * count;
                const int from_row = row0 + r - 1, from_column = column0 + c - 1;
                const bool inside =
                    unsigned(from_row) < unsigned(source.height) && unsigned(from_column) < unsigned(source.width);
                const Int from = (Int(from_row) * source.width + from_column) * source.position_step + slice + channel;
                Wide<T> values, seen;
                if (inside) values = load_wide(source.x + from);
                if (inside && source.mask) seen = load_wide(source.mask + from);
#pragma unroll
                for (int j = 0; j < count; j++) {
                    const bool passes = inside && (!source.mask || to_float(seen.at[j]) > 0);
                    tile[r * row_pitch + c * pitch + channel + j] = passes ? to_float(values.at[j]) : 0.f;
                }
            }
        } else {
            for (int i = thread; i < rim * rim * picture_slice; i += picture_threads) {
                const int channel = i % picture_slice, place = i / picture_slice, r = place / rim, c = place - r * rim;
                tile[r * row_pitch + c * pitch + channel] =
                    slice + channel < source.channels ? source.at(row0 + r - 1, column0 + c - 1, slice + channel) : 0.f;
            }
        }
        for (int i = thread; i < 9 * picture_slice * picture_channels; i += picture_threads) {
            const int o = i % picture_channels, channel = i / picture_channels % picture_slice;
            const int tap = i / (picture_channels * picture_slice);
            weights[tap][channel][o] =
                slice + channel < source.channels && channel0 + o < channels
                    ? filters[(tap * source.channels + slice + channel) * channels + channel0 + o]
                    : 0.f;
        }
        __syncthreads();
#pragma unroll 1
        for (int channel = quarter * 4; channel < quarter * 4 + 4; channel++)
#pragma unroll
            for (int across = 0; across < 3; across++) {
                float v[pixels + 2];
#pragma unroll
                for (int i = 0; i < pixels + 2; i++)
                    v[i] = tile[(row + i) * row_pitch + (column + across) * pitch + channel];
#pragma unroll
                for (int down = 0; down < 3; down++)
#pragma unroll
                    for (int o = 0; o < picture_channels; o++) {
                        const float weight = weights[3 * down + across][channel][o];
#pragma unroll
                        for (int i = 0; i < pixels; i++) sums[i][o] += v[i + down] * weight;
                    }
            }
        __syncthreads();
    }
    // The tile's memory is free: planes of each quarter's sums.
#pragma unroll
    for (int i = 0; i < pixels; i++)
#pragma unroll
        for (int o = 0; o < picture_channels; o++)
            tile[(quarter * picture_channels + o) * picture_threads + (row + i) * picture_edge + column] = sums[i][o];
    __syncthreads();
    const int r = row0 + thread / picture_edge, c = column0 + thread % picture_edge;
    if (r >= source.height || c >= source.width) return;
    for (int o = 0; o < picture_channels && channel0 + o < channels; o++) {
        float sum = 0;
        for (int q = 0; q < quarters; q++) sum += tile[(q * picture_channels + o) * picture_threads + thread];
        dx[(Int(channel0 + o) * source.height + r) * source.width + c] = sum;
    }
}

// dx (channels planes of float32) = the gradient of a convolution with zeros or a
// colour round it to its map, from dy (positions×out), seen through dy_mask (like dy,
// may be null); filters are arranged transposed. Blocks of 256 threads; grid
// (⌈width/16⌉, ⌈height/16⌉, ⌈channels/4⌉).
#define PICTURE_GRADIENT(suffix, T)                                                                                    \
    KERNEL((picture_threads), picture_gradient_##suffix, float *dx, const T *dy, const float *filters,                 \
           const T *dy_mask, Int channels, Int out, Int height, Int width) {                                           \
        Source<T> source{dy, dy_mask, nullptr, out, 1, int(height), int(width), int(out), false};                      \
        picture_gradient(dx, source, filters, int(channels), int(blockIdx.z) * picture_channels);                      \
    }
PICTURE_GRADIENT(f32, float)
PICTURE_GRADIENT(f16, f16)
PICTURE_GRADIENT(bf16, bf16)
#undef PICTURE_GRADIENT

// Adds to dx what the positions outside the map pass to the pixels at its edge that
// they repeat.
template <class U, class T>
__device__ void add_edges(U *dx, Int position_step, Int channel_step, const Source<T> dy, const float *filters,
                          const U *mask, int channels) {
    const int height = dy.height, width = dy.width;
    const int edge = min(height, 2) * width + max(height - 2, 0) * min(width, 2);
    const Int item = first_index() / warp_size;
    if (item >= Int(edge) * channels) return;
    const int channel = int(item % channels);
    int place = int(item / channels), row, column;
    if (place < min(height, 2) * width) {
        row = place < width ? 0 : height - 1;
        column = place % width;
    } else {
        place -= min(height, 2) * width;
        row = 1 + place / min(width, 2);
        column = place % min(width, 2) ? width - 1 : 0;
    }
    float sum = 0;
    for (int i = 0; i < 9; i++) {
        // The positions outside that repeat this one: a step up, down, left, right or both.
        int r = i / 3 == 0 ? row : i / 3 == 1 ? -1 : height, c = i % 3 == 0 ? column : i % 3 == 1 ? -1 : width;
        if (i == 0 || min(max(r, 0), height - 1) != row || min(max(c, 0), width - 1) != column) continue;
        for (int tap = 0; tap < 9; tap++) {
            int at_row = r + tap / 3 - 1, at_column = c + tap % 3 - 1;
            if (at_row < 0 || at_row >= height || at_column < 0 || at_column >= width) continue;
            for (int o = threadIdx.x % warp_size; o < dy.channels; o += warp_size)
                sum += filters[Int(tap * dy.channels + o) * channels + channel] * dy.at(at_row, at_column, o);
        }
    }
    sum = warp_sum(sum);
    Int at = (Int(row) * width + column) * position_step + channel * channel_step;
    if (threadIdx.x % warp_size == 0 && (!mask || to_float(mask[at]) > 0))
        dx[at] = from_float<U>(to_float(dx[at]) + sum);
}

// Adds to dx, the gradient of a convolution to its map made as if zeros were round
// it, what it lacks where the border is replicated. dy, dy_mask, filters as there; mask
// (like dx, may be null) was applied to dx. Blocks of 256 threads, a warp for each
// pixel at the edge and channel: grid ⌈edge·channels/8⌉, with edge = height·width −
// max(height−2, 0)·max(width−2, 0).
//
// picture_edges_… has dx in float32 planes.
#define EDGES(suffix, T)                                                                                               \
    KERNEL((256), convolution_edges_##suffix, T *dx, const T *dy, const float *filters, const T *dy_mask,              \
           const T *mask, Int channels, Int out, Int height, Int width) {                                              \
        Source<T> source{dy, dy_mask, nullptr, out, 1, int(height), int(width), int(out), false};                      \
        add_edges(dx, channels, 1, source, filters, mask, int(channels));                                              \
    }                                                                                                                  \
    KERNEL((256), picture_edges_##suffix, float *dx, const T *dy, const float *filters, const T *dy_mask,              \
           Int channels, Int out, Int height, Int width) {                                                             \
        Source<T> source{dy, dy_mask, nullptr, out, 1, int(height), int(width), int(out), false};                      \
        add_edges(dx, Int(1), height *width, source, filters, (const float *)nullptr, int(channels));                  \
    }
EDGES(f32, float)
EDGES(f16, f16)
EDGES(bf16, bf16)
#undef EDGES

// Filters out×in×3×3 of float32, in one of the layouts that kernels read. Where
// transposed is 1 they are those of the gradient: in and out changed over and every
// window turned by half a turn; depth is then 9·out, columns in, else depth is 9·in,
// columns out. Any grid of blocks of 256 threads.
//
// arrange_plain_filters: depth × columns of float32, for convolution_… and its kin.
// arrange_matrix_filters_…: columns × depth, for convolution_matrix_… and its kin.
// arrange_hopper_filters_…: the same, in the order of filter_of, for convolution_hopper_….
enum class Layout { by_depth, by_column, by_lane };

template <class T, Layout layout>
__device__ void arrange(T *to, const float *filters, int out, int in, bool transposed) {
    const int columns = transposed ? in : out, channels = transposed ? out : in, depth = 9 * channels;
    for (Int i = first_index(); i < Int(depth) * columns; i += index_step()) {
        constexpr bool by_depth = layout == Layout::by_depth;
        int column = int(by_depth ? i % columns : i / depth), k = int(by_depth ? i / columns : i % depth);
        int tap = k / channels, channel = k % channels;
        if (layout == Layout::by_lane) column = filter_of(column);
        float v = transposed ? filters[(Int(channel) * in + column) * 9 + 8 - tap]
                             : filters[(Int(column) * in + channel) * 9 + tap];
        if constexpr (sizeof(T) == 4 && !by_depth) v = __uint_as_float(round_tf32(__float_as_uint(v)));
        to[i] = from_float<T>(v);
    }
}

KERNEL((256), arrange_plain_filters, float *to, const float *filters, Int out, Int in, Int transposed) {
    arrange<float, Layout::by_depth>(to, filters, int(out), int(in), transposed != 0);
}
KERNEL((256), arrange_matrix_filters_tf32, float *to, const float *filters, Int out, Int in, Int transposed) {
    arrange<float, Layout::by_column>(to, filters, int(out), int(in), transposed != 0);
}
KERNEL((256), arrange_matrix_filters_f16, f16 *to, const float *filters, Int out, Int in, Int transposed) {
    arrange<f16, Layout::by_column>(to, filters, int(out), int(in), transposed != 0);
}
KERNEL((256), arrange_matrix_filters_bf16, bf16 *to, const float *filters, Int out, Int in, Int transposed) {
    arrange<bf16, Layout::by_column>(to, filters, int(out), int(in), transposed != 0);
}
KERNEL((256), arrange_hopper_filters_f16, f16 *to, const float *filters, Int out, Int in, Int transposed) {
    arrange<f16, Layout::by_lane>(to, filters, int(out), int(in), transposed != 0);
}
KERNEL((256), arrange_hopper_filters_bf16, bf16 *to, const float *filters, Int out, Int in, Int transposed) {
    arrange<bf16, Layout::by_lane>(to, filters, int(out), int(in), transposed != 0);
}
