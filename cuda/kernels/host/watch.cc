#include "watch.h"
#include "emulation.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace emulation {

bool watching;

namespace {

constexpr int most_warps = 1024 / 32;

// Numbers of events by thread. Copies in the background count as one thread more, the last.
using Clock = std::vector<unsigned>;

// The last accesses of two bytes of shared memory. Copies in the background only write.
struct Cell {
    unsigned block = 0; // that they are of; of others they count for nothing
    unsigned writer = 0, written = 0;
    unsigned reads[most_warps] = {}; // by warp: an event of one of its threads, times 32, and its lane; 0 for none
};

// Those of two bytes of device memory, whichever block they are of.
struct GlobalCell {
    unsigned launch = 0;
    unsigned write_block = 0, writer = 0, written = 0; // block 0 is none
    unsigned read_block = 0, reader = 0, read = 0;
    bool read_by_blocks = false; // by several
};

constexpr size_t grain = 2, page_bytes = 4096;
using Page = std::array<GlobalCell, page_bytes / grain>;

struct Phase {
    Clock pending, over;
};

// An access of a lane, for counting what banks have to do.
struct BankAccess {
    const void *place;
    unsigned turn; // how often the lane has been there since the last barrier
    int warp, lane;
    size_t address; // in bytes from the beginning of shared memory
    size_t size;
    // The number of the part of the warp that goes at once: a warp's 4-byte accesses are one,
    // wider ones as many as have 128 bytes each.
    int part() const { return lane / int(std::max<size_t>(1, std::min<size_t>(32, 128 / std::max<size_t>(4, size)))); }
    auto turn_of_banks() const { return std::tuple(place, warp, turn, part()); }
};

struct Memory {
    size_t begin = 0, size = 0;
    bool has(size_t at) const { return at - begin < size; }
};

struct Watch {
    std::vector<Memory> unshared;
    Memory dynamic_shared, static_shared;
    int off = 0, threads = 0;
    unsigned launch = 0, block = 0, first_block = 0; // of the launch
    // A thread knows of its own events, and of others' those that were before the last
    // barrier of all, unless it has learned more since and has a row of its own.
    Clock own, common;
    std::vector<Clock> learned; // empty rows for those that haven't
    const unsigned *knows(size_t thread) const { return (learned[thread].empty() ? common : learned[thread]).data(); }
    Clock &learns(size_t thread) {
        if (learned[thread].empty()) learned[thread] = common;
        return learned[thread];
    }
    Clock clock_of(size_t thread) const {
        Clock all(knows(thread), knows(thread) + threads + 1);
        all[thread] = own[thread];
        return all;
    }
    std::vector<Cell> cells, static_cells; // of dynamic and of static shared memory
    std::unordered_map<size_t, std::unique_ptr<Page>> pages;
    Page *last_page = nullptr;
    size_t last_number = 0;
    std::map<const void *, Phase> phases;
    std::vector<Clock> begun; // copies
    // Of banks, while they are counted: in the first two blocks of each launch.
    bool counting = false;
    std::vector<BankAccess> banks;
    std::map<std::pair<const void *, int>, unsigned> turns; // by place and thread
    long long wavefronts = 0, least = 0;
};

// What was seen so far.
Watch seen;

void join(Clock &to, const Clock &from) {
    to.resize(std::max(to.size(), from.size()));
    for (size_t i = 0; i < from.size(); i++) to[i] = std::max(to[i], from[i]);
}

// The page of device memory with an address.
Page &page_of(size_t at) {
    const size_t number = at / page_bytes;
    if (!seen.last_page || seen.last_number != number) {
        auto &page = seen.pages[number];
        if (!page) page = std::make_unique<Page>();
        seen.last_page = page.get();
        seen.last_number = number;
    }
    return *seen.last_page;
}

// The number of a thread for messages.
std::string who(unsigned thread) {
    return int(thread) == seen.threads ? "a background copy" : "thread " + std::to_string(thread);
}

const char *kind(bool writes) { return writes ? "writes" : "reads"; }

// Notes an access of shared memory by a thread that knows of what is in a clock.
void touch(Cell &c, unsigned thread, unsigned now, const unsigned *knows, bool writes, const void *p) {
    if (c.block != seen.block) c = Cell{seen.block};
    // A thread's own accesses are in order, those of copies aren't.
    const bool ordered = c.written == 0 || (c.writer == thread && int(thread) < seen.threads) || knows[c.writer] >= c.written;
    if (!ordered && !(c.writer == thread && c.written == now))
        fail("race: %s %s shared memory at %p, which %s wrote with no barrier between", who(thread).c_str(), kind(writes), p,
             who(c.writer).c_str());
    if (!writes) {
        c.reads[thread / 32] = now * 32 + thread % 32;
        return;
    }
    for (unsigned warp = 0; warp * 32 < unsigned(seen.threads); warp++) {
        const unsigned reader = warp * 32 + c.reads[warp] % 32, read = c.reads[warp] / 32;
        if (read > 0 && reader != thread && knows[reader] < read)
            fail("race: %s writes shared memory at %p, which %s reads with no barrier between", who(thread).c_str(), p,
                 who(reader).c_str());
        c.reads[warp] = 0;
    }
    c.writer = thread;
    c.written = now;
}

void touch(GlobalCell &c, unsigned thread, bool writes, const void *p) {
    const unsigned *knows = seen.knows(thread), now = seen.own[thread];
    if (c.launch != seen.launch) c = GlobalCell{seen.launch};
    const bool theirs = c.write_block != 0 && c.write_block != seen.block;
    if (theirs || (c.write_block == seen.block && c.writer != thread && knows[c.writer] < c.written))
        fail("race: thread %u %s device memory at %p, which thread %u%s wrote with nothing between", thread, kind(writes), p, c.writer,
             theirs ? " of another block" : "");
    if (!writes) {
        c.read_by_blocks |= c.read_block != 0 && c.read_block != seen.block;
        c.read_block = seen.block;
        c.reader = thread;
        c.read = now;
        return;
    }
    if (c.read_by_blocks || (c.read_block != 0 && c.read_block != seen.block))
        fail("race: thread %u writes device memory at %p, which another block reads", thread, p);
    if (c.read_block == seen.block && c.reader != thread && knows[c.reader] < c.read)
        fail("race: thread %u writes device memory at %p, which thread %u reads with nothing between", thread, p, c.reader);
    c.write_block = seen.block;
    c.writer = thread;
    c.written = now;
}

// Counts what the banks have to do for the accesses since the last barrier: those of a warp
// at one place in one turn are one instruction, whichever lane of the emulation came first.
// Each part of a warp takes as long as the bank with the most different words, of the 32
// banks of 4 bytes.
void count_banks() {
    auto earlier = [](const BankAccess &a, const BankAccess &b) { return a.turn_of_banks() < b.turn_of_banks(); };
    std::sort(seen.banks.begin(), seen.banks.end(), earlier);
    for (auto first = seen.banks.begin(); first != seen.banks.end();) {
        const auto end = std::upper_bound(first, seen.banks.end(), *first, earlier);
        std::array<std::vector<size_t>, 32> words;
        size_t most = 0;
        for (; first != end; ++first)
            for (size_t at = first->address / 4; at <= (first->address + first->size - 1) / 4; at++) {
                auto &of = words[at % 32];
                if (std::find(of.begin(), of.end(), at) == of.end()) of.push_back(at);
                most = std::max(most, of.size());
            }
        seen.wavefronts += (long long)most;
        seen.least++;
    }
    seen.banks.clear();
    seen.turns.clear();
}

} // namespace

void watch_not(const void *begin, size_t size) { seen.unshared.push_back({reinterpret_cast<size_t>(begin), size}); }

void watch_launch(const void *own, size_t size) {
    if (!watching) return;
    seen.launch++;
    seen.first_block = seen.block + 1;
    seen.off = 0; // a launch that failed may have left it
    seen.static_shared = {reinterpret_cast<size_t>(own), size};
    seen.static_cells.resize(std::max(seen.static_cells.size(), size / grain + 1));
}

void watch_block(int threads, const void *shared, size_t size) {
    if (!watching) return;
    if (seen.counting) count_banks();
    seen.block++;
    seen.threads = threads;
    seen.dynamic_shared = {reinterpret_cast<size_t>(shared), size};
    seen.cells.resize(std::max(seen.cells.size(), size / grain + 1));
    seen.own.assign(size_t(threads), 1);
    seen.common.assign(size_t(threads) + 1, 0);
    seen.learned.assign(size_t(threads), Clock{});
    seen.phases.clear();
    seen.begun.clear();
}

Unwatched::Unwatched() { seen.off++; }
Unwatched::~Unwatched() { seen.off--; }

void watch_access(const void *p, size_t size, bool writes, const void *place) {
    const int thread = current_thread();
    const size_t at = reinterpret_cast<size_t>(p);
    if (!watching || seen.off > 0 || thread < 0) return;
    for (const Memory &m : seen.unshared)
        if (m.has(at)) return;
    const unsigned self = unsigned(thread), *knows = seen.knows(self), now = seen.own[self];
    if (seen.counting && seen.block <= seen.first_block + 1 && seen.dynamic_shared.has(at))
        seen.banks.push_back({place, seen.turns[{place, thread}]++, thread / 32, thread % 32, at - seen.dynamic_shared.begin, size});
    for (size_t i = at / grain; i <= (at + size - 1) / grain; i++) {
        if (seen.dynamic_shared.has(at)) {
            touch(seen.cells[i - seen.dynamic_shared.begin / grain], self, now, knows, writes, p);
        } else if (seen.static_shared.has(at)) {
            touch(seen.static_cells[i - seen.static_shared.begin / grain], self, now, knows, writes, p);
        } else {
            touch(page_of(i * grain)[i % (page_bytes / grain)], self, writes, p);
        }
    }
}

void watch_joined(const int *threads, int count) {
    if (!watching) return;
    if (count == seen.threads) {
        for (Clock &row : seen.learned) {
            join(seen.common, row);
            row.clear();
        }
        std::copy(seen.own.begin(), seen.own.end(), seen.common.begin());
        for (unsigned &now : seen.own) now++;
        if (seen.counting) count_banks();
        return;
    }
    Clock all;
    for (int i = 0; i < count; i++) join(all, seen.clock_of(size_t(threads[i])));
    for (int i = 0; i < count; i++) {
        seen.learned[size_t(threads[i])] = all;
        seen.own[size_t(threads[i])]++;
    }
}

void watch_arrival(const void *barrier) {
    if (!watching) return;
    const auto t = size_t(current_thread());
    join(seen.phases[barrier].pending, seen.clock_of(t));
    seen.own[t]++;
}

void watch_wait(const void *barrier) {
    if (watching) join(seen.learns(size_t(current_thread())), seen.phases[barrier].over);
}

void watch_phase(const void *barrier) {
    if (!watching) return;
    Phase &p = seen.phases[barrier];
    p.over = p.pending;
}

int watch_copy_begins() {
    if (!watching) return 0;
    seen.begun.push_back(seen.clock_of(size_t(current_thread())));
    return int(seen.begun.size());
}

void watch_copy_writes(int copy, const void *p, size_t size) {
    if (!watching) return;
    const size_t first = (reinterpret_cast<size_t>(p) - seen.dynamic_shared.begin) / grain;
    for (size_t i = first; i < first + size / grain; i++)
        touch(seen.cells[i], unsigned(seen.threads), unsigned(copy), seen.begun[size_t(copy) - 1].data(), true, p);
}

void watch_copy_ends(int copy, const void *barrier) {
    if (!watching) return;
    Clock all(size_t(seen.threads) + 1);
    all.back() = unsigned(copy);
    join(seen.phases[barrier].pending, all);
}

} // namespace emulation

using namespace emulation;

// Begins to count what banks of dynamic shared memory have to do, or ends it and returns
// how many turns all accesses took them and how many it would have been without conflicts.
extern "C" void standin_banks(int begin, long long *wavefronts, long long *least) {
    if (!begin) {
        count_banks();
        *wavefronts = seen.wavefronts;
        *least = seen.least;
    }
    seen.counting = begin;
    seen.wavefronts = seen.least = 0;
    seen.banks.clear();
    seen.turns.clear();
}

// What the compiler calls.
#define PLACE __builtin_return_address(0)
#define ACCESSES(bytes)                                                                                                \
    void __tsan_read##bytes(void *p) { watch_access(p, bytes, false, PLACE); }                                         \
    void __tsan_write##bytes(void *p) { watch_access(p, bytes, true, PLACE); }                                         \
    void __tsan_unaligned_read##bytes(void *p) { watch_access(p, bytes, false, PLACE); }                               \
    void __tsan_unaligned_write##bytes(void *p) { watch_access(p, bytes, true, PLACE); }
extern "C" {
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)
void __tsan_read_range(void *p, size_t size) { watch_access(p, size, false, PLACE); }
void __tsan_write_range(void *p, size_t size) { watch_access(p, size, true, PLACE); }
void __tsan_init() { watching = true; }
void __tsan_func_entry(void *) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void **, void *) {}
}
