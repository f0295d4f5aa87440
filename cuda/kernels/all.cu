// All kernels as one translation unit, which becomes one fat binary.
#include "vectors.cu"
