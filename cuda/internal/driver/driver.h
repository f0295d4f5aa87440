// What driver.c offers to the Go files of this package.

// driver_load opens libcuda.so.1 and starts it. It returns cuInit's status, or -1
// and the reason where there is no such library.
int driver_load(const char **reason);
