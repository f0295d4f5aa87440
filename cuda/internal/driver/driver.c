//go:build gpu && cgo

// The driver's entry points jump through slots that driver_load fills from the
// driver's library. So a program that is linked with them needs no driver to start,
// and finds the one that the machine has.
#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif
#include <stddef.h>

#include "driver.h"

static const char *const names[] = {
#include "names.h"
};

enum { count = sizeof names / sizeof *names, not_initialized = 3, not_found = 500 };

static int before_load(void) { return not_initialized; }
static int not_in_driver(void) { return not_found; }

#ifdef _WIN32
#define LOCAL

static void *open_library(const char **reason) {
	*reason = "nvcuda.dll can't be loaded";
	return LoadLibraryExA("nvcuda.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
}
static void *find(void *library, const char *name) { return (void *)GetProcAddress(library, name); }
#else
#define LOCAL __attribute__((visibility("hidden")))

static void *open_library(const char **reason) {
	void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!library) *reason = dlerror();
	return library;
}
static void *find(void *library, const char *name) { return dlsym(library, name); }
#endif

LOCAL void *driver_slots[count];

__attribute__((constructor)) static void fill(void) {
	for (size_t i = 0; i < count; i++)
		driver_slots[i] = (void *)before_load;
}

// gorgonia.org/cu calls cuInit when the program starts, and ends the program where
// that fails. It is told that all is well; driver_load keeps the truth.
LOCAL int cuInit(unsigned flags) {
	(void)flags;
	return 0;
}

int driver_load(const char **reason) {
	void *library = open_library(reason);
	if (!library) return -1;
	for (size_t i = 0; i < count; i++) {
		void *entry = find(library, names[i]);
		driver_slots[i] = entry ? entry : (void *)not_in_driver;
	}
	int (*init)(unsigned) = (int (*)(unsigned))find(library, "cuInit");
	return init ? init(0) : not_found;
}
