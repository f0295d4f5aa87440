// What elimination by blocks of rows has in common, which inverts and factors symmetric
// positive definite matrices in float64 (gaussian.cu, polar.cu): 32 rows a step, the pivot's.
// Blocks of 256 threads make 64×64 of the result each.
#pragma once

#include "device.h"

constexpr int pivot_edge = 32, invert_edge = 64, pivot_size = pivot_edge * pivot_edge;

// above = pivot·above: a block's columns of the pivot's rows.
__device__ inline void multiply_pivot(double (&above)[pivot_edge][invert_edge],
                                      const double (&pivot)[pivot_edge][pivot_edge + 1]) {
    const int row = threadIdx.x / 16 * 2, column = threadIdx.x % 16 * 4;
    double sums[2][4] = {};
    for (int k = 0; k < pivot_edge; k++)
        for (int i = 0; i < 2; i++)
            for (int j = 0; j < 4; j++) sums[i][j] += pivot[row + i][k] * above[k][column + j];
    __syncthreads();
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 4; j++) above[row + i][column + j] = sums[i][j];
    __syncthreads();
}

// rest −= left·above, of which this thread has 4×4 from (row, column) on.
__device__ inline void eliminate(double (&rest)[4][4], const double (&left)[invert_edge][pivot_edge + 1],
                                 const double (&above)[pivot_edge][invert_edge], int row, int column) {
#pragma unroll 4
    for (int k = 0; k < pivot_edge; k++)
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++) rest[i][j] -= left[row + i][k] * above[k][column + j];
}
