//go:build cgo

#include <malloc.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* A limit on memory, and the need for it before any work in MiB. */
struct bound {
	int resource;
	const char *name;
	int column;         /* of /proc/self/statm, which says in pages what is taken */
	long long to_start; /* by Go's runtime */
};

static const struct bound bounds[] = {
	{RLIMIT_AS, "address space (ulimit -v)", 0, 1230},
	{RLIMIT_DATA, "data (ulimit -d)", 5, 80},
};

/* leastAddresses of parent_unix.go, in MiB. */
enum { to_work = 240 };

/* What this process has taken, in MiB, or 0 where that can't be read. */
static long long taken(int column)
{
	long long pages = 0;
	FILE *statm = fopen("/proc/self/statm", "re");
	if (statm == NULL)
		return 0;
	for (int i = 0; i <= column; i++)
		if (fscanf(statm, "%lld", &pages) != 1)
			pages = 0;
	fclose(statm);
	return pages * sysconf(_SC_PAGESIZE) >> 20;
}

/*
 * Runs before Go's runtime, which ends a program with a stack trace and status 2 where it
 * lacks memory to start. Under a limit, threads don't get 64 MiB of addresses each for C's
 * memory, of which there is next to none. On 32 bits, Go needs much less.
 */
__attribute__((constructor)) static void check_limits(void)
{
	if (sizeof(void *) < 8)
		return;
	for (unsigned i = 0; i < sizeof bounds / sizeof *bounds; i++) {
		const struct bound *b = &bounds[i];
		struct rlimit limit;
		if (getrlimit(b->resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
			continue;
#ifdef M_ARENA_MAX
		mallopt(M_ARENA_MAX, 1);
#endif
		long long most = limit.rlim_cur >> 20, start = taken(b->column) + b->to_start;
		if (most >= start + to_work)
			continue;
		fprintf(stderr, "impasto: out of memory: this needs more than there is under the limit of %.2f GiB on the %s, of which %lld MiB are taken before any work; raise the limit to %lld MiB or more\n",
			most / 1024., b->name, start, start + to_work);
		_exit(1);
	}
}
