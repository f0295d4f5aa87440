// What driver.c offers to the Go files of this package.

// driver_load opens the driver's library and starts it. It returns cuInit's status, or -1
// and the reason where there is no such library.
int driver_load(const char **reason);
