// All kernels as one translation unit, which becomes one fat binary.
#include "convolution.cu"
#include "convolution_matrix.cu"
#include "gaussian.cu"
#include "maps.cu"
#include "moments.cu"
#include "sliced.cu"
#include "statistics.cu"
#include "vectors.cu"
