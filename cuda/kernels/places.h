// Items that are sorted: keys with where they came from.
#pragma once

#include "device.h"

struct Place {
    unsigned key, from;
};
__device__ inline unsigned key_of(unsigned item) { return item; }
__device__ inline unsigned key_of(const Place &item) { return item.key; }

// The first of the sorted items whose key is at least key.
__device__ inline Int lower_bound(const Place *items, Int n, unsigned key) {
    Int first = 0;
    while (n > 0) {
        Int half = n / 2;
        if (items[first + half].key < key) {
            first += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return first;
}
