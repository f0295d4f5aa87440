// What the matrix instructions of a warp do, as plain loops.
#pragma once

#include "emulation.h"
#include "halves.h"
#include "sums.h"

namespace emulation {

// Faults where a prefetch is of what isn't there.
inline void touch(const void *at) { (void)*static_cast<const volatile unsigned char *>(at); }

struct MatrixRow {
    const void *row;
    unsigned words[4];
    bool transposed;
};

inline void load_matrices(unsigned (&to)[4], const void *row, bool transposed) {
    if (reinterpret_cast<uintptr_t>(row) % 16 != 0) fail("row of a matrix at %p, which isn't aligned to 16 bytes", row);
    watch_access(row, 16, false, __builtin_return_address(0));
    MatrixRow result = collective<MatrixRow>({row, {}, transposed}, "ldmatrix", [](void *lanes, int live) {
        if (live != 32) fail("matrix instruction in a warp of %d", live);
        unsigned char rows[32][16];
        for (int i = 0; i < 32; i++) std::memcpy(rows[i], lane_value<MatrixRow>(lanes, i).row, 16);
        for (int i = 0; i < 32; i++) {
            MatrixRow &mine = lane_value<MatrixRow>(lanes, i);
            for (int m = 0; m < 4; m++) {
                unsigned char word[4];
                for (int byte = 0; byte < 4; byte++) {
                    int row = i / 4, column = i % 4 * 2 + byte / 2;
                    if (mine.transposed) {
                        int t = row;
                        row = column, column = t;
                    }
                    word[byte] = rows[8 * m + row][2 * column + byte % 2];
                }
                std::memcpy(&mine.words[m], word, 4);
            }
        }
    });
    std::memcpy(to, result.words, sizeof to);
}

template <class T> struct Fragments {
    float d[4];
    unsigned a[4], b[2];
};

// Element number i of a word.
template <class T> float element(unsigned word, int i) {
    if constexpr (sizeof(T) == 4) {
        return __uint_as_float(word & ~0x1fffu);
    } else {
        uint16_t bits = uint16_t(word >> (16 * i));
        return to_float(T{bits});
    }
}

template <class T> void multiply_fragments(void *lanes, int live) {
    if (live != 32) fail("matrix instruction in a warp of %d", live);
    constexpr int per_word = 4 / sizeof(T), depth = 8 * per_word;
    float a[16][depth], b[depth][8], d[16][8];
    for (int lane = 0; lane < 32; lane++) {
        const auto &f = lane_value<Fragments<T>>(lanes, lane);
        int g = lane / 4, t = lane % 4;
        for (int i = 0; i < per_word; i++) {
            for (int part = 0; part < 4; part++)
                a[g + part % 2 * 8][(t + part / 2 * 4) * per_word + i] = element<T>(f.a[part], i);
            for (int part = 0; part < 2; part++) b[(t + part * 4) * per_word + i][g] = element<T>(f.b[part], i);
        }
    }
    for (int lane = 0; lane < 32; lane++) {
        const auto &f = lane_value<Fragments<T>>(lanes, lane);
        for (int part = 0; part < 4; part++) d[lane / 4 + part / 2 * 8][lane % 4 * 2 + part % 2] = f.d[part];
    }
    // The units of compute capability 8.0 add 32 bytes of a row and a column in two turns.
    constexpr int turn = depth / 2;
    for (int row = 0; row < 16; row++)
        for (int first = 0; first < depth; first += turn) {
            float products[turn][8];
            for (int k = 0; k < turn; k++)
                for (int column = 0; column < 8; column++) products[k][column] = a[row][first + k] * b[first + k][column];
            add_products(d[row], products);
        }
    for (int lane = 0; lane < 32; lane++) {
        auto &f = lane_value<Fragments<T>>(lanes, lane);
        for (int part = 0; part < 4; part++) f.d[part] = d[lane / 4 + part / 2 * 8][lane % 4 * 2 + part % 2];
    }
}

template <class T> void multiply_add(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    Fragments<T> f;
    std::memcpy(f.d, d, sizeof d);
    std::memcpy(f.a, a, sizeof a);
    std::memcpy(f.b, b, sizeof b);
    f = collective(f, "mma", multiply_fragments<T>);
    std::memcpy(d, f.d, sizeof d);
}

} // namespace emulation
