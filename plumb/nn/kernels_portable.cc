// The kernels for portable, compiled with the flags that CMakeLists.txt gives this file.
#include "plumb/nn/kernels/table.h"

namespace plumb::nn {

extern const Kernels kPortableKernels;
const Kernels kPortableKernels = PLUMB_ISA::table("portable");

}  // namespace plumb::nn
