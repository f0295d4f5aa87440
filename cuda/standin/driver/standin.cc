// A libcuda.so.1 for machines without a GPU, as far as impasto uses the driver.
// The memory of the device is the host's, and kernels are the same sources
// compiled for the host (cuda/kernels/host), found by name.
//
// It is strict where the real driver lets mistakes pass: work on a stream runs as
// late as it may, when it is waited for; memory is filled with NaN, begins and
// ends with guards, and is refused beyond the device's size; a call without a
// current context, a copy that leaves its allocation, an allocation while work
// is captured, or a branch of a capture that is never joined is an error; a graph runs
// what isn't ordered in another order each time. What is wrong with a kernel or a copy is told on standard error.
//
// The environment says what device it is, and what is to go wrong:
//
//	STANDIN_INIT=n           cuInit returns n
//	STANDIN_DRIVER=n         version of CUDA that the driver speaks, 13000 unless given
//	STANDIN_DEVICES=n        number of devices, 1 unless given
//	STANDIN_CAPABILITY=a.b   compute capability, 9.0 unless given
//	STANDIN_JIT=n            compiling PTX fails with n
//	STANDIN_MEMORY=n         memory of a device in bytes, 4 GiB unless given
//	STANDIN_ALLOCATION=n     the allocation from that on fails, counted from 1
//	STANDIN_LAUNCH=n         the kernel launched n-th, counted from 1, fails
//	STANDIN_LOST=n           likewise, and the device is gone from then on
//	STANDIN_ORDER=n          order of a block's threads: 0 forward, 1 and 2 others
#include <cuda.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <elf.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

// As cuda/kernels/host/emulation.cc defines them.
struct dim3 {
	unsigned x, y, z;
};
extern "C" int standin_parameters(const char *name);
extern "C" void standin_order(int order);
extern "C" int standin_encode_tiled(void *map, int type, unsigned rank, const void *address, const uint64_t *sizes,
									const uint64_t *strides, const uint32_t *box, const uint32_t *steps, int interleave,
									int swizzle, int promotion, int outside);
extern "C" const char *standin_launch(const char *name, dim3 grid, dim3 block, size_t shared, void *const *arguments);

namespace {

long long setting(const char *name, long long otherwise) {
	const char *text = std::getenv(name);
	return text ? std::atoll(text) : otherwise;
}

int driver_version() { return int(setting("STANDIN_DRIVER", 13000)); }

// The compute capability, major and minor.
std::pair<int, int> capability() {
	const char *text = std::getenv("STANDIN_CAPABILITY");
	std::pair<int, int> parts{9, 0};
	if (text) std::sscanf(text, "%d.%d", &parts.first, &parts.second);
	return parts;
}

// An operation on a stream; its result is CUDA_SUCCESS or what the device fails
// with.
using Operation = std::function<CUresult()>;

// An operation in a graph, with the numbers of those that it comes after.
struct Node {
	Operation operation;
	std::vector<size_t> after;
};

struct Graph {
	std::vector<Node> nodes;
};

} // namespace

// A graph that is being captured, on the stream that began it and those that have
// waited for its work.
struct Capture {
	Graph graph;
	CUstream origin;
};

struct CUctx_st {
	CUdevice device;
	CUresult failure = CUDA_SUCCESS; // which stays
	std::set<CUstream> streams;
};

struct CUstream_st {
	CUcontext context;
	bool blocking;
	std::vector<Operation> pending;
	std::shared_ptr<Capture> capture;
	std::vector<size_t> latest; // of the capture, what the next operation comes after
};

struct CUevent_st {
	std::chrono::steady_clock::time_point at;
	CUstream stream = nullptr; // that it was recorded on last
	std::shared_ptr<bool> reached = std::make_shared<bool>(true);
	// Where it was recorded while work was captured.
	std::weak_ptr<Capture> capture;
	std::vector<size_t> latest;
};

struct CUmod_st {
	std::map<std::string, size_t> shared; // static, by kernel
};

struct CUfunc_st {
	std::string name;
	int parameters;
	size_t shared = 48 << 10;
	size_t own_shared = 0; // static, which comes to the dynamic
};

struct CUgraph_st {
	Graph graph;
};

struct CUgraphExec_st {
	Graph graph;
};

namespace {

struct Allocation {
	unsigned char *mapping;
	size_t mapped, size;
	CUcontext context;
};

constexpr size_t granularity = 256;
constexpr unsigned char guard = 0xA5;

struct Driver {
	std::recursive_mutex mutex;
	bool started = false;
	std::map<uintptr_t, Allocation> allocations; // by address
	std::map<uintptr_t, size_t> pinned;
	std::map<CUdevice, size_t> used;
	long long allocated = 0, launched = 0;
	size_t memory = size_t(setting("STANDIN_MEMORY", 4ll << 30));
};

Driver driver;

// The current context of each thread. It isn't thread_local, as the shared memory of the
// kernels is and nothing else.
class Current {
	pthread_key_t key;

public:
	Current() { pthread_key_create(&key, nullptr); }
	operator CUcontext() const { return static_cast<CUcontext>(pthread_getspecific(key)); }
	CUcontext operator->() const { return *this; }
	CUcontext operator=(CUcontext context) {
		pthread_setspecific(key, context);
		return context;
	}
};

Current current;

using Lock = std::lock_guard<std::recursive_mutex>;

CUresult complain(CUresult result, const char *what, const char *which = "") {
	std::fprintf(stderr, "stand-in driver: %s%s%s\n", which, *which ? ": " : "", what);
	return result;
}

// What a call is refused with before it does anything.
CUresult ready() {
	if (!driver.started) return CUDA_ERROR_NOT_INITIALIZED;
	if (!current) return CUDA_ERROR_INVALID_CONTEXT;
	return current->failure;
}

// The allocation that all of a range of device memory is in, or null.
const Allocation *holding(CUdeviceptr at, size_t size) {
	auto found = driver.allocations.upper_bound(at);
	if (found == driver.allocations.begin()) return nullptr;
	--found;
	return at + size <= found->first + found->second.size ? &found->second : nullptr;
}

bool is_pinned(const void *at, size_t size) {
	auto address = reinterpret_cast<uintptr_t>(at);
	auto found = driver.pinned.upper_bound(address);
	if (found == driver.pinned.begin()) return false;
	--found;
	return address + size <= found->first + found->second;
}

// Shared memory that a block may have at most, by the programming guide's table of compute
// capabilities.
size_t most_shared() {
	static const std::map<std::pair<int, int>, size_t> kibibytes{{{8, 0}, 163}, {{8, 6}, 99},  {{8, 7}, 163}, {{8, 9}, 99},
																 {{9, 0}, 227}, {{10, 0}, 227}, {{10, 3}, 227}, {{12, 0}, 99}, {{12, 1}, 99}};
	const auto found = kibibytes.find(capability());
	return (found == kibibytes.end() ? 48 : found->second) << 10;
}

// Runs what is pending on a stream. What goes wrong stays with the context.
// Runs what is pending on a stream, or as much of it as it takes until something is reached.
CUresult run(CUstream stream, const bool *reached = nullptr) {
	std::vector<Operation> pending;
	pending.swap(stream->pending);
	auto next = pending.begin();
	for (; next != pending.end() && !(reached && *reached); ++next) {
		if (stream->context->failure != CUDA_SUCCESS) return stream->context->failure;
		stream->context->failure = (*next)();
	}
	stream->pending.insert(stream->pending.begin(), std::make_move_iterator(next), std::make_move_iterator(pending.end()));
	return stream->context->failure;
}

// What the legacy default stream waits for.
CUresult run_blocking(CUcontext context) {
	for (CUstream s : context->streams)
		if (s->blocking) run(s);
	return context->failure;
}

bool capturing(CUcontext context) {
	for (CUstream s : context->streams)
		if (s->capture) return true;
	return false;
}

CUresult enqueue(CUstream stream, Operation operation) {
	if (!stream) {
		CUresult result = run_blocking(current);
		if (result != CUDA_SUCCESS) return result;
		return current->failure = operation();
	}
	if (stream->capture) {
		auto &nodes = stream->capture->graph.nodes;
		nodes.push_back({std::move(operation), stream->latest});
		stream->latest = {nodes.size() - 1};
	} else {
		stream->pending.push_back(std::move(operation));
	}
	return CUDA_SUCCESS;
}

// The operations of a graph in an order that its dependencies allow, another one for
// each seed: what isn't ordered, and yet depends on the order, comes to other results.
std::vector<size_t> some_order(const Graph &graph, unsigned seed) {
	std::vector<size_t> waits(graph.nodes.size()), ready, order;
	std::vector<std::vector<size_t>> before(graph.nodes.size());
	for (size_t i = 0; i < graph.nodes.size(); i++) {
		waits[i] = graph.nodes[i].after.size();
		for (size_t other : graph.nodes[i].after) before[other].push_back(i);
		if (waits[i] == 0) ready.push_back(i);
	}
	std::minstd_rand random(seed + 1);
	while (!ready.empty()) {
		const size_t chosen = random() / 3 % ready.size(), i = ready[chosen];
		ready.erase(ready.begin() + std::ptrdiff_t(chosen));
		order.push_back(i);
		for (size_t next : before[i])
			if (--waits[next] == 0) ready.push_back(next);
	}
	return order;
}

// Whether all nodes of a graph come before or are among some.
bool all_lead_to(const Graph &graph, const std::vector<size_t> &some) {
	std::vector<bool> seen(graph.nodes.size());
	std::vector<size_t> left = some;
	size_t count = 0;
	while (!left.empty()) {
		const size_t i = left.back();
		left.pop_back();
		if (seen[i]) continue;
		seen[i] = true;
		count++;
		left.insert(left.end(), graph.nodes[i].after.begin(), graph.nodes[i].after.end());
	}
	return count == graph.nodes.size();
}

// What a device of the stand-in's says to a file of machine code: it runs code of its own
// major compute capability and no higher minor one, or only exactly its own where the
// code is specific to an architecture.
CUresult check_code(const Elf64_Ehdr *header) {
	constexpr int machine_cuda = 190;
	if (header->e_machine != machine_cuda) return CUDA_ERROR_INVALID_IMAGE;
	// The binary interface that CUDA 12.0 has, and that of architectures since 12.8.
	int code;
	bool specific;
	const bool old = header->e_ident[EI_OSABI] == 0x33 && header->e_ident[EI_ABIVERSION] == 7;
	if (old) {
		code = header->e_flags & 0xff;
		specific = header->e_flags & 0x800;
	} else if (header->e_ident[EI_OSABI] == 0x41 && header->e_ident[EI_ABIVERSION] == 8) {
		code = header->e_flags >> 8 & 0xff;
		specific = header->e_flags & 8;
	} else {
		return CUDA_ERROR_INVALID_IMAGE;
	}
	if (!old && driver_version() < 12080) return CUDA_ERROR_NO_BINARY_FOR_GPU;
	const int device = 10 * capability().first + capability().second;
	if (specific ? code != device : code / 10 != device / 10 || code > device) {
		std::fprintf(stderr, "stand-in driver: machine code for %d%s on a device of compute capability %d.%d\n", code,
					 specific ? "a" : "", device / 10, device % 10);
		return CUDA_ERROR_NO_BINARY_FOR_GPU;
	}
	return CUDA_SUCCESS;
}

// The static shared memory of each kernel, as the sections of a file of machine code say.
// From compute capability 9.0 on the system's own KiB is in it, which counts apart.
std::map<std::string, size_t> static_shared(const Elf64_Ehdr *header) {
	std::map<std::string, size_t> sizes;
	const auto *file = reinterpret_cast<const char *>(header);
	const auto *sections = reinterpret_cast<const Elf64_Shdr *>(file + header->e_shoff);
	const char *names = file + sections[header->e_shstrndx].sh_offset;
	const std::string prefix = ".nv.shared.";
	for (int i = 0; i < header->e_shnum; i++) {
		const std::string name = names + sections[i].sh_name;
		if (name.rfind(prefix, 0) == 0) {
			const size_t system = capability().first >= 9 ? 1 << 10 : 0;
			sizes[name.substr(prefix.size())] = sections[i].sh_size > system ? sections[i].sh_size - system : 0;
		}
	}
	return sizes;
}

// What it says to PTX, and why.
CUresult check_text(const char *text, std::string &error) {
	if (auto status = CUresult(setting("STANDIN_JIT", CUDA_SUCCESS)); status != CUDA_SUCCESS) {
		error = "the stand-in fails to compile";
		return status;
	}
	// What versions of CUDA read, from NVIDIA's table of releases of PTX.
	static const std::map<int, int> reads{{12000, 80}, {12010, 81}, {12020, 82}, {12030, 83}, {12040, 84},
										  {12050, 85}, {12070, 86}, {12080, 87}, {12090, 88}, {13000, 90}};
	const char *version = std::strstr(text, "\n.version "), *target = std::strstr(text, "\n.target sm_");
	int major, minor, lowest;
	if (!version || !target || std::sscanf(version, "\n.version %d.%d", &major, &minor) != 2 ||
		std::sscanf(target, "\n.target sm_%d\n", &lowest) != 1) {
		error = "no version and target of PTX";
		return CUDA_ERROR_INVALID_IMAGE;
	}
	auto most = std::prev(reads.upper_bound(driver_version()));
	if (10 * major + minor > most->second) {
		error = "PTX of a version that the driver doesn't know";
		return CUDA_ERROR_UNSUPPORTED_PTX_VERSION;
	}
	if (lowest > 10 * capability().first + capability().second) {
		error = "PTX for newer devices";
		return CUDA_ERROR_INVALID_PTX;
	}
	return CUDA_SUCCESS;
}

} // namespace

extern "C" {

CUresult cuInit(unsigned) {
	Lock lock(driver.mutex);
	auto status = CUresult(setting("STANDIN_INIT", CUDA_SUCCESS));
	driver.started = status == CUDA_SUCCESS;
	standin_order(int(setting("STANDIN_ORDER", 0)));
	return status;
}

CUresult cuGetErrorName(CUresult error, const char **name) {
	static const std::map<CUresult, const char *> names{
		{CUDA_ERROR_INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE"},
		{CUDA_ERROR_OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"},
		{CUDA_ERROR_NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED"},
		{CUDA_ERROR_NO_DEVICE, "CUDA_ERROR_NO_DEVICE"},
		{CUDA_ERROR_INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT"},
		{CUDA_ERROR_NO_BINARY_FOR_GPU, "CUDA_ERROR_NO_BINARY_FOR_GPU"},
		{CUDA_ERROR_JIT_COMPILER_NOT_FOUND, "CUDA_ERROR_JIT_COMPILER_NOT_FOUND"},
		{CUDA_ERROR_LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED"},
		{CUDA_ERROR_STREAM_CAPTURE_UNJOINED, "CUDA_ERROR_STREAM_CAPTURE_UNJOINED"},
		{CUDA_ERROR_UNKNOWN, "CUDA_ERROR_UNKNOWN"},
	};
	auto found = names.find(error);
	*name = found == names.end() ? nullptr : found->second;
	return found == names.end() ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

CUresult cuDriverGetVersion(int *version) {
	*version = driver_version();
	return CUDA_SUCCESS;
}

CUresult cuDeviceGetCount(int *count) {
	if (!driver.started) return CUDA_ERROR_NOT_INITIALIZED;
	*count = int(setting("STANDIN_DEVICES", 1));
	return CUDA_SUCCESS;
}

CUresult cuDeviceGet(CUdevice *device, int ordinal) {
	if (!driver.started) return CUDA_ERROR_NOT_INITIALIZED;
	if (ordinal < 0 || ordinal >= setting("STANDIN_DEVICES", 1)) return CUDA_ERROR_INVALID_DEVICE;
	*device = ordinal;
	return CUDA_SUCCESS;
}

CUresult cuDeviceGetName(char *name, int size, CUdevice device) {
	std::snprintf(name, size_t(size), "stand-in %d", device);
	return CUDA_SUCCESS;
}

CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice) {
	*bytes = driver.memory;
	return CUDA_SUCCESS;
}

CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice) {
	const auto [major, minor] = capability();
	switch (attribute) {
	case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: *value = major; break;
	case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: *value = minor; break;
	case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: *value = 4; break;
	case CU_DEVICE_ATTRIBUTE_CLOCK_RATE: *value = 1000000; break; // kHz
	case CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE: *value = 1000000; break;
	case CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH: *value = 256; break;
	case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN: *value = int(most_shared()); break;
	default: return complain(CUDA_ERROR_INVALID_VALUE, "unknown attribute of a device");
	}
	return CUDA_SUCCESS;
}

CUresult cuCtxCreate_v2(CUcontext *context, unsigned, CUdevice device) {
	if (!driver.started) return CUDA_ERROR_NOT_INITIALIZED;
	Lock lock(driver.mutex);
	*context = current = new CUctx_st{device, CUDA_SUCCESS, {}};
	return CUDA_SUCCESS;
}

CUresult cuCtxDestroy_v2(CUcontext context) {
	Lock lock(driver.mutex);
	for (CUstream s : context->streams) {
		run(s);
		delete s;
	}
	CUresult result = CUDA_SUCCESS;
	for (auto i = driver.allocations.begin(); i != driver.allocations.end();) {
		if (i->second.context != context) {
			++i;
			continue;
		}
		if (context->failure == CUDA_SUCCESS) result = complain(CUDA_ERROR_INVALID_VALUE, "a context ends with memory allocated");
		driver.used[context->device] -= i->second.size;
		munmap(i->second.mapping, i->second.mapped);
		i = driver.allocations.erase(i);
	}
	if (current == context) current = nullptr;
	delete context;
	return result;
}

CUresult cuCtxSetCurrent(CUcontext context) {
	current = context;
	return CUDA_SUCCESS;
}

CUresult cuCtxGetCurrent(CUcontext *context) {
	*context = current;
	return CUDA_SUCCESS;
}

CUresult cuCtxSynchronize() {
	Lock lock(driver.mutex);
	if (CUresult result = ready(); result != CUDA_SUCCESS) return result;
	for (CUstream s : current->streams) run(s);
	return current->failure;
}

CUresult cuMemGetInfo_v2(size_t *free, size_t *total) {
	Lock lock(driver.mutex);
	if (CUresult result = ready(); result != CUDA_SUCCESS) return result;
	*total = driver.memory;
	*free = driver.memory - driver.used[current->device];
	return CUDA_SUCCESS;
}

CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t size) {
	Lock lock(driver.mutex);
	if (CUresult result = ready(); result != CUDA_SUCCESS) return result;
	if (size == 0) return CUDA_ERROR_INVALID_VALUE;
	if (capturing(current)) return complain(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "memory is allocated while work is captured");
	long long failing = setting("STANDIN_ALLOCATION", 0);
	driver.allocated++;
	if (driver.used[current->device] + size > driver.memory || (failing > 0 && driver.allocated >= failing)) return CUDA_ERROR_OUT_OF_MEMORY;
	// The end of the memory is as near to a protected page as its alignment allows.
	const size_t page = size_t(sysconf(_SC_PAGESIZE));
	const size_t whole = (size + granularity - 1) / granularity * granularity;
	const size_t inner = (whole + granularity + page - 1) / page * page;
	auto *mapping = static_cast<unsigned char *>(
		mmap(nullptr, inner + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	if (mapping == MAP_FAILED) return CUDA_ERROR_OUT_OF_MEMORY;
	mprotect(mapping, page, PROT_NONE);
	mprotect(mapping + page + inner, page, PROT_NONE);
	unsigned char *begin = mapping + page + inner - whole;
	std::memset(mapping + page, guard, inner);
	std::memset(begin, 0xFF, size); // NaN, as float16, float and double
	*address = CUdeviceptr(reinterpret_cast<uintptr_t>(begin));
	driver.allocations[*address] = {mapping, inner + 2 * page, size, current};
	driver.used[current->device] += size;
	return CUDA_SUCCESS;
}

// All memory is the host's.
CUresult cuMemAllocManaged(CUdeviceptr *address, size_t size, unsigned) { return cuMemAlloc_v2(address, size); }

CUresult cuMemFree_v2(CUdeviceptr address) {
	Lock lock(driver.mutex);
	if (!current) return CUDA_ERROR_INVALID_CONTEXT;
	auto found = driver.allocations.find(address);
	if (found == driver.allocations.end()) return complain(CUDA_ERROR_INVALID_VALUE, "memory is freed that is not allocated");
	for (CUstream s : found->second.context->streams) run(s);
	const Allocation a = found->second;
	const size_t page = size_t(sysconf(_SC_PAGESIZE));
	CUresult result = found->second.context->failure;
	auto *begin = reinterpret_cast<unsigned char *>(address);
	for (auto *at = a.mapping + page; at < a.mapping + a.mapped - page; at++)
		if ((at < begin || at >= begin + a.size) && *at != guard) {
			result = complain(CUDA_ERROR_ILLEGAL_ADDRESS, at < begin ? "something was written before an allocation" : "something was written after an allocation");
			break;
		}
	driver.allocations.erase(found);
	driver.used[a.context->device] -= a.size;
	munmap(a.mapping, a.mapped);
	return result;
}

CUresult cuMemHostAlloc(void **address, size_t size, unsigned) {
	Lock lock(driver.mutex);
	if (CUresult result = ready(); result != CUDA_SUCCESS) return result;
	*address = std::aligned_alloc(4096, (size + 4095) / 4096 * 4096);
	if (!*address) return CUDA_ERROR_OUT_OF_MEMORY;
	std::memset(*address, 0xFF, size);
	driver.pinned[reinterpret_cast<uintptr_t>(*address)] = size;
	return CUDA_SUCCESS;
}

CUresult cuMemFreeHost(void *address) {
	Lock lock(driver.mutex);
	if (!driver.pinned.erase(reinterpret_cast<uintptr_t>(address)))
		return complain(CUDA_ERROR_INVALID_VALUE, "host memory is freed that is not allocated");
	std::free(address);
	return CUDA_SUCCESS;
}

CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t size, CUstream stream) {
	Lock lock(driver.mutex);
	if (CUresult result = ready(); result != CUDA_SUCCESS) return result;
	if (!holding(to, size)) return complain(CUDA_ERROR_INVALID_VALUE, "a copy to the device leaves its allocation");
	auto *target = reinterpret_cast<void *>(to);
	if (is_pinned(from, size))
		return enqueue(stream, [=] { return std::memcpy(target, from, size), CUDA_SUCCESS; });
	// Pageable memory is read before the call returns.
	auto staged = std::make_shared<std::vector<char>>(static_cast<const char *>(from), static_cast<const char *>(from) + size);
	return enqueue(stream, [=] { return std::memcpy(target, staged->data(), size), CUDA_SUCCESS; });
}

CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t size) {
	return cuMemcpyHtoDAsync_v2(to, from, size, nullptr);
}

CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t size, CUstream stream) {
	Lock lock(driver.mutex);
	if (CUresult result = ready(); result != CUDA_SUCCESS) return result;
	if (!holding(from, size)) return complain(CUDA_ERROR_INVALID_VALUE, "a copy from the device leaves its allocation");
	auto *source = reinterpret_cast<const void *>(from);
	CUresult result = enqueue(stream, [=] { return std::memcpy(to, source, size), CUDA_SUCCESS; });
	if (result != CUDA_SUCCESS || !stream || is_pinned(to, size)) return result;
	if (stream->capture) return complain(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "a copy to pageable memory is captured");
	return run(stream);
}

CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t size) { return cuMemcpyDtoHAsync_v2(to, from, size, nullptr); }

CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t size, CUstream stream) {
	Lock lock(driver.mutex);
	if (CUresult result = ready(); result != CUDA_SUCCESS) return result;
	if (!holding(from, size) || !holding(to, size)) return complain(CUDA_ERROR_INVALID_VALUE, "a copy on the device leaves its allocation");
	return enqueue(stream, [=] {
		return std::memmove(reinterpret_cast<void *>(to), reinterpret_cast<const void *>(from), size), CUDA_SUCCESS;
	});
}

CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t size, CUstream stream) {
	Lock lock(driver.mutex);
	if (CUresult result = ready(); result != CUDA_SUCCESS) return result;
	if (!holding(to, size)) return complain(CUDA_ERROR_INVALID_VALUE, "memory is set beyond its allocation");
	return enqueue(stream, [=] { return std::memset(reinterpret_cast<void *>(to), value, size), CUDA_SUCCESS; });
}

CUresult cuStreamCreate(CUstream *stream, unsigned flags) {
	Lock lock(driver.mutex);
	if (CUresult result = ready(); result != CUDA_SUCCESS) return result;
	*stream = new CUstream_st{current, !(flags & CU_STREAM_NON_BLOCKING), {}, nullptr, {}};
	current->streams.insert(*stream);
	return CUDA_SUCCESS;
}

CUresult cuStreamDestroy_v2(CUstream stream) {
	Lock lock(driver.mutex);
	CUresult result = run(stream);
	stream->context->streams.erase(stream);
	delete stream;
	return result;
}

CUresult cuStreamSynchronize(CUstream stream) {
	Lock lock(driver.mutex);
	if (CUresult result = ready(); result != CUDA_SUCCESS) return result;
	if (!stream) return run_blocking(current);
	if (stream->capture) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
	return run(stream);
}

CUresult cuStreamBeginCapture_v2(CUstream stream, CUstreamCaptureMode) {
	Lock lock(driver.mutex);
	if (CUresult result = ready(); result != CUDA_SUCCESS) return result;
	if (!stream || stream->capture) return CUDA_ERROR_ILLEGAL_STATE;
	stream->capture = std::make_shared<Capture>(Capture{{}, stream});
	stream->latest.clear();
	return CUDA_SUCCESS;
}

CUresult cuStreamEndCapture(CUstream stream, CUgraph *graph) {
	Lock lock(driver.mutex);
	if (!stream->capture || stream->capture->origin != stream) return CUDA_ERROR_ILLEGAL_STATE;
	const std::shared_ptr<Capture> capture = stream->capture;
	const bool joined = all_lead_to(capture->graph, stream->latest);
	for (CUstream s : stream->context->streams)
		if (s->capture == capture) s->capture = nullptr;
	*graph = nullptr;
	if (!joined) return complain(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, "a branch of captured work is never waited for");
	*graph = new CUgraph_st{std::move(capture->graph)};
	return current->failure;
}

CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned) {
	Lock lock(driver.mutex);
	if (CUresult result = ready(); result != CUDA_SUCCESS) return result;
	const std::shared_ptr<Capture> capture = event->capture.lock();
	if (!stream || !capture) return complain(CUDA_ERROR_NOT_SUPPORTED, "a wait for an event outside of a capture");
	if (stream->capture && stream->capture != capture) return CUDA_ERROR_STREAM_CAPTURE_MERGE;
	if (!stream->capture) {
		stream->capture = capture;
		stream->latest.clear();
	}
	stream->latest.insert(stream->latest.end(), event->latest.begin(), event->latest.end());
	return CUDA_SUCCESS;
}

CUresult cuGraphDestroy(CUgraph graph) {
	delete graph;
	return CUDA_SUCCESS;
}

CUresult cuGraphInstantiateWithFlags(CUgraphExec *executable, CUgraph graph, unsigned long long) {
	*executable = new CUgraphExec_st{graph->graph};
	return CUDA_SUCCESS;
}

CUresult cuGraphExecDestroy(CUgraphExec executable) {
	delete executable;
	return CUDA_SUCCESS;
}

CUresult cuGraphLaunch(CUgraphExec executable, CUstream stream) {
	Lock lock(driver.mutex);
	if (CUresult result = ready(); result != CUDA_SUCCESS) return result;
	static unsigned launches = 0;
	for (size_t i : some_order(executable->graph, launches++))
		if (CUresult result = enqueue(stream, executable->graph.nodes[i].operation); result != CUDA_SUCCESS) return result;
	return CUDA_SUCCESS;
}

CUresult cuEventCreate(CUevent *event, unsigned) {
	*event = new CUevent_st;
	return CUDA_SUCCESS;
}

CUresult cuEventDestroy_v2(CUevent event) {
	delete event;
	return CUDA_SUCCESS;
}

CUresult cuEventRecord(CUevent event, CUstream stream) {
	Lock lock(driver.mutex);
	if (CUresult result = ready(); result != CUDA_SUCCESS) return result;
	event->capture.reset();
	if (stream && stream->capture) {
		event->capture = stream->capture;
		event->latest = stream->latest;
		return CUDA_SUCCESS;
	}
	event->stream = stream;
	event->reached = std::make_shared<bool>(false);
	return enqueue(stream, [event, reached = event->reached] {
		*reached = true;
		return event->at = std::chrono::steady_clock::now(), CUDA_SUCCESS;
	});
}

CUresult cuEventSynchronize(CUevent event) {
	Lock lock(driver.mutex);
	if (CUresult result = ready(); result != CUDA_SUCCESS) return result;
	if (!event->stream || *event->reached) return current->failure;
	return run(event->stream, event->reached.get());
}

CUresult cuEventElapsedTime(float *milliseconds, CUevent begin, CUevent end) {
	*milliseconds = std::chrono::duration<float, std::milli>(end->at - begin->at).count();
	return CUDA_SUCCESS;
}

// Options are where errors are told, and how many bytes there are for it.
CUresult cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned count, CUjit_option *options, void **values) {
	if (CUresult result = ready(); result != CUDA_SUCCESS) return result;
	char *log = nullptr;
	size_t size = 0;
	for (unsigned i = 0; i < count; i++) {
		if (options[i] == CU_JIT_ERROR_LOG_BUFFER) log = static_cast<char *>(values[i]);
		if (options[i] == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES) size = reinterpret_cast<size_t>(values[i]);
	}
	CUresult result;
	if (std::memcmp(image, ELFMAG, SELFMAG) == 0) {
		result = check_code(static_cast<const Elf64_Ehdr *>(image));
	} else {
		std::string error;
		result = check_text(static_cast<const char *>(image), error);
		if (log) std::snprintf(log, size, "%s", error.c_str());
	}
	if (result != CUDA_SUCCESS) return result;
	*module = new CUmod_st;
	if (std::memcmp(image, ELFMAG, SELFMAG) == 0) (*module)->shared = static_shared(static_cast<const Elf64_Ehdr *>(image));
	return CUDA_SUCCESS;
}

CUresult cuModuleUnload(CUmodule module) {
	delete module;
	return CUDA_SUCCESS;
}

CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
	Lock lock(driver.mutex);
	static std::map<std::string, CUfunc_st> functions;
	const int parameters = standin_parameters(name);
	if (parameters < 0) return CUDA_ERROR_NOT_FOUND;
	*function = &functions.try_emplace(name, CUfunc_st{name, parameters}).first->second;
	// Unasked, a block may have 48 KiB of both.
	const size_t own = module->shared[name];
	if ((*function)->shared == 48 << 10) (*function)->shared -= own;
	(*function)->own_shared = own;
	return CUDA_SUCCESS;
}

CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute, int value) {
	if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES || value < 0) return CUDA_ERROR_INVALID_VALUE;
	if (size_t(value) + function->own_shared > most_shared())
		return complain(CUDA_ERROR_INVALID_VALUE, "more shared memory than a block of this compute capability may have", function->name.c_str());
	function->shared = size_t(value);
	return CUDA_SUCCESS;
}

CUresult cuLaunchKernel(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
						unsigned shared, CUstream stream, void **parameters, void **) {
	Lock lock(driver.mutex);
	if (CUresult result = ready(); result != CUDA_SUCCESS) return result;
	if (shared > f->shared) return complain(CUDA_ERROR_INVALID_VALUE, "more shared memory than the function may have", f->name.c_str());
	if (bx * by * bz == 0 || bx * by * bz > 1024 || gx == 0 || gy == 0 || gz == 0 || gy > 65535 || gz > 65535)
		return complain(CUDA_ERROR_INVALID_VALUE, "grid or block out of bounds", f->name.c_str());
	std::vector<unsigned long long> values;
	for (int i = 0; i < f->parameters; i++) values.push_back(*static_cast<unsigned long long *>(parameters[i]));
	const dim3 grid{gx, gy, gz}, block{bx, by, bz};
	return enqueue(stream, [=]() mutable {
		driver.launched++;
		if (driver.launched == setting("STANDIN_LAUNCH", 0)) return CUDA_ERROR_LAUNCH_FAILED;
		if (driver.launched == setting("STANDIN_LOST", 0)) return CUDA_ERROR_UNKNOWN;
		std::vector<void *> pointers;
		for (auto &value : values) pointers.push_back(&value);
		const char *wrong = standin_launch(f->name.c_str(), grid, block, shared, pointers.data());
		return wrong ? complain(CUDA_ERROR_LAUNCH_FAILED, wrong) : CUDA_SUCCESS;
	});
}

CUresult cuTensorMapEncodeTiled(CUtensorMap *map, CUtensorMapDataType type, cuuint32_t rank, void *address,
								const cuuint64_t *sizes, const cuuint64_t *strides, const cuuint32_t *box,
								const cuuint32_t *steps, CUtensorMapInterleave interleave, CUtensorMapSwizzle swizzle,
								CUtensorMapL2promotion promotion, CUtensorMapFloatOOBfill outside) {
	Lock lock(driver.mutex);
	size_t bytes = 2;
	for (cuuint32_t i = 0; i < rank; i++) bytes *= sizes[i];
	if (!holding(CUdeviceptr(reinterpret_cast<uintptr_t>(address)), bytes))
		return complain(CUDA_ERROR_INVALID_VALUE, "a tensor map leaves its allocation");
	return standin_encode_tiled(map, type, rank, address, reinterpret_cast<const uint64_t *>(sizes),
								reinterpret_cast<const uint64_t *>(strides), box, steps, interleave, swizzle, promotion, outside)
			   ? complain(CUDA_ERROR_INVALID_VALUE, "a tensor map that the driver wouldn't take")
			   : CUDA_SUCCESS;
}

} // extern "C"
