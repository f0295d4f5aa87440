// Who touched which memory when: races between threads, and conflicts of banks of shared
// memory. Kernels that are compiled with -fsanitize=thread tell of every access; the
// compiler's own library for that, which knows no fibers, isn't linked.
//
// Two accesses of different threads race if one of them writes and nothing orders them.
// What orders is known by vector clocks (Flanagan and Freund, FastTrack, 2009): barriers
// of threads, __syncwarp, and arrivals at barriers of background copies with the waits for
// them. Shuffles order nothing, as the programming guide has it. Blocks of a grid are
// never ordered. Of the threads of a warp, the last one to read an address stands for
// all.
#pragma once

#include <cstddef>

namespace emulation {

// Whether kernels tell of their accesses. All else here does nothing where they don't.
extern bool watching;

// Says where memory lies that isn't told of: the stacks of threads, which are nobody else's,
// and what the emulation keeps for itself.
void watch_not(const void *begin, size_t size);

// A launch begins, of kernels with static shared memory at a place; a block of so many
// threads begins, with dynamic shared memory at a place.
void watch_launch(const void *own, size_t size);
void watch_block(int threads, const void *shared, size_t shared_size);

// While a thread does what belongs to others too, its accesses aren't told.
struct Unwatched {
    Unwatched();
    ~Unwatched();
};

// The current thread touches memory, by an instruction at a place in the program.
void watch_access(const void *p, size_t size, bool writes, const void *place);

// All before in some threads comes before all after in them.
void watch_joined(const int *threads, int count);

// The current thread arrives at a barrier of background copies, or has waited for its last
// phase; the phase ends.
void watch_arrival(const void *barrier);
void watch_wait(const void *barrier);
void watch_phase(const void *barrier);

// A background copy: what the current thread knows when it begins one, and the bytes that
// the copy writes, before the barrier learns of it.
int watch_copy_begins();
void watch_copy_writes(int copy, const void *p, size_t size);
void watch_copy_ends(int copy, const void *barrier);

} // namespace emulation
