// The kernels for avx2, compiled with the flags that CMakeLists.txt gives this file.
#include "plumb/nn/kernels/table.h"

namespace plumb::nn {

extern const Kernels kAvx2Kernels;
const Kernels kAvx2Kernels = PLUMB_ISA::table("avx2");

}  // namespace plumb::nn
