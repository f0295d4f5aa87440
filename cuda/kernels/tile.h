// Products of matrices in float32 without the matrix units, as blocks of 256 threads make
// them 64×64 at a time: a thread has 4×4 of the products, which it makes of slices in shared
// memory, as deep as the slices are long.
#pragma once

#include "device.h"

constexpr int tile_products = 64;

// Block number n of the lower triangle, by rows.
__device__ inline void lower_block(int n, int &row, int &column) {
    row = 0;
    while (n > row) n -= ++row;
    column = n;
}

// The first row and column of a thread's products.
__device__ __forceinline__ int tile_row() { return threadIdx.x / 16 * 4; }
__device__ __forceinline__ int tile_column() { return threadIdx.x % 16 * 4; }

// sums += leftᵀ·right of a slice.
template <int depth, int left_pitch, int right_pitch>
__device__ __forceinline__ void multiply_tile(float (&sums)[4][4], const float (&left)[depth][left_pitch],
                                              const float (&right)[depth][right_pitch]) {
    const int row = tile_row(), column = tile_column();
#pragma unroll 16
    for (int k = 0; k < depth; k++)
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++) sums[i][j] += left[k][row + i] * right[k][column + j];
}

// totals += leftᵀ·right of a slice, whose products are summed in float32.
template <int depth, int left_pitch, int right_pitch>
__device__ __forceinline__ void multiply_tile(double (&totals)[4][4], const float (&left)[depth][left_pitch],
                                              const float (&right)[depth][right_pitch]) {
    float sums[4][4] = {};
    multiply_tile(sums, left, right);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) totals[i][j] += double(sums[i][j]);
}

// Stores those of the products that are of a result of so many rows and columns, in which
// the block's begin at (row0, column0).
template <class T>
__device__ __forceinline__ void store_tile(T *to, const T (&products)[4][4], Int row0, Int column0, Int rows,
                                           Int columns) {
    const Int row = row0 + tile_row(), column = column0 + tile_column();
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            if (row + i < rows && column + j < columns) to[(row + i) * columns + column + j] = products[i][j];
}
