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

constexpr int most_warps = 1024 / 32 + 1;

// Numbers of events by thread. Copies in the background count as one thread more, the last.
using Clock = std::vector<unsigned>;

// The last accesses of two bytes of shared memory.
struct Cell {
    unsigned block = 0; // that they are of; of others they count for nothing
    unsigned writer = 0, written = 0;
    struct Read {
        unsigned thread, at; // 0 for none
    } reads[most_warps] = {};
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
    int warp;
    size_t address; // in bytes from the beginning of shared memory
    size_t size;
    bool operator<(const BankAccess &other) const {
        return std::tie(place, warp, turn) < std::tie(other.place, other.warp, other.turn);
    }
};

struct Memory {
    size_t begin = 0, size = 0;
    bool has(size_t at) const { return at - begin < size; }
};

struct Watch {
    Memory stacks;
    Memory shared, own; // dynamic and static
    int off = 0, threads = 0;
    unsigned launch = 0, block = 0;
    std::vector<Clock> clock;
    std::vector<Cell> cells, static_cells; // of dynamic and of static shared memory
    std::unordered_map<size_t, std::unique_ptr<Page>> pages;
    std::map<const void *, Phase> phases;
    std::vector<Clock> begun; // copies
    // Of banks, while they are counted.
    bool counting = false;
    std::vector<BankAccess> banks;
    std::map<std::pair<const void *, int>, unsigned> turns; // by place and thread
    long long wavefronts = 0, least = 0;
};

Watch &watch() {
    static Watch w;
    return w;
}

void join(Clock &to, const Clock &from) {
    to.resize(std::max(to.size(), from.size()));
    for (size_t i = 0; i < from.size(); i++) to[i] = std::max(to[i], from[i]);
}

// The number of a thread for messages.
std::string who(unsigned thread) {
    return int(thread) == watch().threads ? "a background copy" : "thread " + std::to_string(thread);
}

const char *kind(bool writes) { return writes ? "writes" : "reads"; }

// Notes an access of shared memory by a thread that knows of what is in a clock.
void touch(Cell &c, unsigned thread, unsigned now, const Clock &knows, bool writes, const void *p) {
    Watch &w = watch();
    if (c.block != w.block) c = Cell{w.block};
    // A thread's own accesses are in order, those of copies aren't.
    const bool ordered = c.written == 0 || (c.writer == thread && int(thread) < w.threads) || knows[c.writer] >= c.written;
    if (!ordered && !(c.writer == thread && c.written == now))
        fail("race: %s %s shared memory at %p, which %s wrote with no barrier between", who(thread).c_str(), kind(writes), p,
             who(c.writer).c_str());
    if (!writes) {
        c.reads[thread / 32] = {thread, now};
        return;
    }
    for (const Cell::Read &r : c.reads)
        if (r.at > 0 && r.thread != thread && knows[r.thread] < r.at)
            fail("race: %s writes shared memory at %p, which %s reads with no barrier between", who(thread).c_str(), p,
                 who(r.thread).c_str());
    c.writer = thread;
    c.written = now;
    for (Cell::Read &r : c.reads) r = {};
}

void touch(GlobalCell &c, unsigned thread, bool writes, const void *p) {
    Watch &w = watch();
    const Clock &knows = w.clock[thread];
    if (c.launch != w.launch) c = GlobalCell{w.launch};
    const bool theirs = c.write_block != 0 && c.write_block != w.block;
    if (theirs || (c.write_block == w.block && c.writer != thread && knows[c.writer] < c.written))
        fail("race: thread %u %s device memory at %p, which thread %u%s wrote with nothing between", thread, kind(writes), p, c.writer,
             theirs ? " of another block" : "");
    if (!writes) {
        c.read_by_blocks |= c.read_block != 0 && c.read_block != w.block;
        c.read_block = w.block;
        c.reader = thread;
        c.read = knows[thread];
        return;
    }
    if (c.read_by_blocks || (c.read_block != 0 && c.read_block != w.block))
        fail("race: thread %u writes device memory at %p, which another block reads", thread, p);
    if (c.read_block == w.block && c.reader != thread && knows[c.reader] < c.read)
        fail("race: thread %u writes device memory at %p, which thread %u reads with nothing between", thread, p, c.reader);
    c.write_block = w.block;
    c.writer = thread;
    c.written = knows[thread];
}

// Counts what the banks have to do for the accesses since the last barrier: those of a warp
// at one place in one turn are one instruction. A warp's 4-byte accesses go at once, wider
// ones by as many lanes as have 128 bytes; each takes as long as the bank with the most
// different words, of the 32 banks of 4 bytes.
void count_banks() {
    Watch &w = watch();
    std::stable_sort(w.banks.begin(), w.banks.end());
    for (size_t i = 0, end; i < w.banks.size(); i = end) {
        for (end = i; end < w.banks.size() && !(w.banks[i] < w.banks[end]); end++) {}
        const size_t together = std::max<size_t>(1, std::min<size_t>(32, 128 / std::max<size_t>(4, w.banks[i].size)));
        for (size_t first = i; first < end; first += together) {
            std::array<std::vector<size_t>, 32> words;
            size_t most = 0;
            for (size_t j = first; j < std::min(first + together, end); j++)
                for (size_t at = w.banks[j].address / 4; at <= (w.banks[j].address + w.banks[j].size - 1) / 4; at++) {
                    auto &of = words[at % 32];
                    if (std::find(of.begin(), of.end(), at) == of.end()) of.push_back(at);
                    most = std::max(most, of.size());
                }
            w.wavefronts += (long long)most;
            w.least++;
        }
    }
    w.banks.clear();
    w.turns.clear();
}

} // namespace

void watch_stacks(const void *begin, size_t size) { watch().stacks = {reinterpret_cast<size_t>(begin), size}; }

void watch_launch(const void *own, size_t size) {
    if (!watching) return;
    Watch &w = watch();
    w.launch++;
    w.off = 0; // a launch that failed may have left it
    w.own = {reinterpret_cast<size_t>(own), size};
    w.static_cells.resize(std::max(w.static_cells.size(), size / grain + 1));
}

void watch_block(int threads, const void *shared, size_t size) {
    if (!watching) return;
    Watch &w = watch();
    if (w.counting) count_banks();
    w.block++;
    w.threads = threads;
    w.shared = {reinterpret_cast<size_t>(shared), size};
    w.cells.resize(std::max(w.cells.size(), size / grain + 1));
    w.clock.assign(size_t(threads), Clock(size_t(threads) + 1));
    for (size_t i = 0; i < size_t(threads); i++) w.clock[i][i] = 1;
    w.phases.clear();
    w.begun.clear();
}

Unwatched::Unwatched() { watch().off++; }
Unwatched::~Unwatched() { watch().off--; }

void watch_access(const void *p, size_t size, bool writes, const void *place) {
    Watch &w = watch();
    const int thread = current_thread();
    const size_t at = reinterpret_cast<size_t>(p);
    if (!watching || w.off > 0 || thread < 0 || w.stacks.has(at)) return;
    const Clock &knows = w.clock[size_t(thread)];
    const unsigned self = unsigned(thread), now = knows[self];
    if (w.counting && w.shared.has(at))
        w.banks.push_back({place, w.turns[{place, thread}]++, thread / 32, at - w.shared.begin, size});
    for (size_t i = at / grain; i <= (at + size - 1) / grain; i++) {
        if (w.shared.has(at)) {
            touch(w.cells[i - w.shared.begin / grain], self, now, knows, writes, p);
        } else if (w.own.has(at)) {
            touch(w.static_cells[i - w.own.begin / grain], self, now, knows, writes, p);
        } else {
            auto &page = w.pages[i * grain / page_bytes];
            if (!page) page = std::make_unique<Page>();
            touch((*page)[i % (page_bytes / grain)], self, writes, p);
        }
    }
}

void watch_joined(const int *threads, int count) {
    if (!watching) return;
    Watch &w = watch();
    Clock all = w.clock[size_t(threads[0])];
    for (int i = 1; i < count; i++) join(all, w.clock[size_t(threads[i])]);
    for (int i = 0; i < count; i++) {
        const auto t = size_t(threads[i]);
        w.clock[t] = all;
        w.clock[t][t]++;
    }
    if (w.counting && count == w.threads) count_banks();
}

void watch_arrival(const void *barrier) {
    if (!watching) return;
    const auto t = size_t(current_thread());
    Clock &mine = watch().clock[t];
    join(watch().phases[barrier].pending, mine);
    mine[t]++;
}

void watch_wait(const void *barrier) {
    if (watching) join(watch().clock[size_t(current_thread())], watch().phases[barrier].over);
}

void watch_phase(const void *barrier) {
    if (!watching) return;
    Phase &p = watch().phases[barrier];
    p.over = p.pending;
}

int watch_copy_begins() {
    if (!watching) return 0;
    watch().begun.push_back(watch().clock[size_t(current_thread())]);
    return int(watch().begun.size());
}

void watch_copy_writes(int copy, const void *p, size_t size) {
    if (!watching) return;
    Watch &w = watch();
    const size_t first = (reinterpret_cast<size_t>(p) - w.shared.begin) / grain;
    for (size_t i = first; i < first + size / grain; i++)
        touch(w.cells[i], unsigned(w.threads), unsigned(copy), w.begun[size_t(copy) - 1], true, p);
}

void watch_copy_ends(int copy, const void *barrier) {
    if (!watching) return;
    Clock all(size_t(watch().threads) + 1);
    all.back() = unsigned(copy);
    join(watch().phases[barrier].pending, all);
}

} // namespace emulation

using namespace emulation;

// Begins to count what banks of dynamic shared memory have to do, or ends it and returns
// how many turns all accesses took them and how many it would have been without conflicts.
extern "C" void standin_banks(int begin, long long *wavefronts, long long *least) {
    Watch &w = watch();
    if (!begin) {
        count_banks();
        *wavefronts = w.wavefronts;
        *least = w.least;
    }
    w.counting = begin;
    w.wavefronts = w.least = 0;
    w.banks.clear();
    w.turns.clear();
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
