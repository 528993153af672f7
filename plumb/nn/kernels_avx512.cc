// The kernels for avx512, compiled with the flags that CMakeLists.txt gives this file.
#include "plumb/nn/kernels/table.h"

namespace plumb::nn {

extern const Kernels kAvx512Kernels;
const Kernels kAvx512Kernels = PLUMB_ISA::table("avx512");

}  // namespace plumb::nn
