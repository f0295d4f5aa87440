// Background copies of boxes, their barriers and products of four warps, emulated.
// Depending on the order of threads, copies happen when they begin or only when
// someone waits for them, and products only when they are waited for: both a barrier
// too few and a result read too early show.
#pragma once

#include <array>

#include "emulation.h"
#include "halves.h"
#include "sums.h"

namespace emulation {

// What the emulated driver makes of a tensor; it has the size of the real one.
struct BoxMap {
    static constexpr uint64_t known = 0x70616d20786f6221;
    uint64_t kind;
    const unsigned char *at;
    uint64_t size[3], stride[3]; // elements, bytes
    uint32_t box[3], element;    // bytes of an element
    bool swizzled;
};
static_assert(sizeof(BoxMap) <= 128);

unsigned shared_address(const void *p);
unsigned char *shared_at(unsigned address);

void barrier_begin(unsigned long long *barrier, int arrivals);
void barrier_arrive(unsigned long long *barrier, int bytes);
void barrier_wait(unsigned long long *barrier, int parity);
void copy_box(void *to, const void *map, unsigned long long *barrier, std::array<int, 3> at);

// A product that is under way, of this thread's part of the accumulators.
struct Product {
    void (*run)(const Product &);
    float *d;
    int columns;
    unsigned long long a, b;
    bool add;
    int group;
};
void product_later(Product p);
void commit_products();
void await_products(int groups_left);

// Bits of a description that the PTX manual's table of matrix descriptors leaves empty.
constexpr unsigned long long reserved_bits = 3ull << 14 | 3ull << 30 | 7ull << 46 | 0x3ffull << 52;

// 16 elements of a row of a described matrix.
template <class T> void matrix_row(float (&to)[16], unsigned long long matrix, int row, const unsigned char *window) {
    unsigned first = unsigned(matrix & 0x3fff) << 4, eight_rows = unsigned(matrix >> 32 & 0x3fff) << 4;
    first += row / 8 * eight_rows + row % 8 * 128;
    for (int half = 0; half < 2; half++) {
        unsigned at = first + half * 16;
        at ^= (at >> 7 & 7) << 4;
        T values[8];
        std::memcpy(values, window + at, sizeof values);
        for (int k = 0; k < 8; k++) to[8 * half + k] = to_float(values[k]);
    }
}

template <class T> void run_product(const Product &p) {
    for (unsigned long long matrix : {p.a, p.b}) {
        if (matrix >> 62 != 1) fail("matrix without a swizzle of 128 bytes");
        if (matrix & reserved_bits) fail("description %#llx of a matrix has bits that mean nothing", matrix);
    }
    const unsigned char *window = shared_at(0);
    const int warp = threadIdx.x / 32 % 4, at = lane();
    float rows[2][16];
    for (int r = 0; r < 2; r++) matrix_row<T>(rows[r], p.a, 16 * warp + at / 4 + 8 * r, window);
    // Two rows by two columns of each of two blocks of eight.
    if (p.columns % 16 != 0) fail("product of %d columns, want a multiple of 16", p.columns);
    for (int j = 0; j < p.columns / 8; j += 2) {
        float columns[4][16], products[16][8], sums[8];
        for (int c = 0; c < 4; c++) matrix_row<T>(columns[c], p.b, 8 * (j + c / 2) + at % 4 * 2 + c % 2, window);
        float *d = p.d + 4 * j;
        for (int i = 0; i < 8; i++) {
            const int block = i / 4, row = i % 4 / 2, column = 2 * block + i % 2;
            for (int k = 0; k < 16; k++) products[k][i] = rows[row][k] * columns[column][k];
            sums[i] = p.add ? d[i] : 0.f;
        }
        add_products(sums, products);
        std::memcpy(d, sums, sizeof sums);
    }
}

template <class T> void multiply_later(float *d, int columns, unsigned long long a, unsigned long long b, bool add) {
    product_later({run_product<T>, d, columns, a, b, add, 0});
}

} // namespace emulation
