// What a smoothing (package optim) does between two grids of planes, one of which has half
// of the other's width and height, rounded up: bilinear interpolation U and its transpose.
// Along a side, element i of the finer grid lies between the coarser one's places ⌊i/2⌋ and
// a neighbour, the one before where i is even, else the one after, by ¾ and ¼; a neighbour
// beyond the end is the place itself.
//
// Planes are height × width, and as many in either grid, of fewer than 2³¹ elements. Blocks
// of 256 threads, any one-dimensional grid.
#include "device.h"

constexpr int smoothing_threads = 256;

// Which elements of a side of the finer grid count for a place of the coarser one, and how
// much: four at most, beginning with the one before twice the place.
struct Window {
    unsigned at[4];
    float weight[4];

    __device__ Window(unsigned place, unsigned side) {
        const unsigned even = 2 * place;
        // The last element of an odd side has none after it; that of an even side counts
        // for both of the places that it lies between, which are the same.
        const float after = even + 1 < side ? 1.f : 0.f;
        at[0] = even > 0 ? even - 1 : 0, weight[0] = 0.25f;
        at[1] = even, weight[1] = 0.75f;
        at[2] = min(even + 1, side - 1), weight[2] = 0.75f * after;
        at[3] = min(even + 2, side - 1), weight[3] = 0.25f * after;
    }
};

// coarse = Uᵀx, and partials[block] = the block's share of Σ coarse², by float64, which
// depends on the grid; partials may be null.
KERNEL((smoothing_threads), restrict, float *coarse, double *partials, const float *x, Int planes, Int height,
       Int width) {
    // 32 bits, in which divisions are quick, hold the number of elements.
    const unsigned rows = unsigned(height + 1) / 2, columns = unsigned(width + 1) / 2;
    const unsigned count = unsigned(planes) * rows * columns;
    double squares = 0;
    for (unsigned i = unsigned(first_index()); i < count; i += unsigned(index_step())) {
        const unsigned line = i / columns, plane = line / rows;
        const Window across(i - line * columns, unsigned(width)), down(line - plane * rows, unsigned(height));
        const float *from = x + plane * height * width;
        float sum = 0;
#pragma unroll
        for (int r = 0; r < 4; r++) {
            const float *row = from + down.at[r] * width;
            float along = 0;
#pragma unroll
            for (int c = 0; c < 4; c++) along += across.weight[c] * row[across.at[c]];
            sum += down.weight[r] * along;
        }
        coarse[i] = sum;
        squares += double(sum) * double(sum);
    }
    if (!partials) return;
    squares = block_sum<smoothing_threads>(squares);
    if (threadIdx.x == 0) partials[blockIdx.x] = squares;
}

// x = x + gain·U·coarse
KERNEL((smoothing_threads), prolong, float *x, const float *coarse, double gain, Int planes, Int height, Int width) {
    const unsigned rows = unsigned(height + 1) / 2, columns = unsigned(width + 1) / 2;
    const unsigned count = unsigned(planes * height * width);
    const float by = float(gain);
    const auto neighbour = [](unsigned i, unsigned places) {
        const unsigned place = i / 2;
        return i % 2 == 0 ? place - (place > 0) : min(place + 1, places - 1);
    };
    for (unsigned i = unsigned(first_index()); i < count; i += unsigned(index_step())) {
        const unsigned line = i / unsigned(width), plane = line / unsigned(height);
        const unsigned column = i - line * unsigned(width), row = line - plane * unsigned(height);
        const unsigned beside = neighbour(column, columns);
        const float *near = coarse + (Int(plane) * rows + row / 2) * columns;
        const float *far = coarse + (Int(plane) * rows + neighbour(row, rows)) * columns;
        const float here = 0.75f * near[column / 2] + 0.25f * near[beside];
        const float there = 0.75f * far[column / 2] + 0.25f * far[beside];
        x[i] += by * (0.75f * here + 0.25f * there);
    }
}
