#include "plumb/nn/matmul.h"

#include <dnnl.h>

#include <cstdlib>

// Of OpenMP only this is used. Its threads wait by spinning, so oneDNN is never given a second one.
extern "C" void omp_set_num_threads(int threads);

namespace plumb::nn {

void stay_in_this_thread() {
  thread_local const bool done = [] {
    omp_set_num_threads(1);
    return true;
  }();
  static_cast<void>(done);
}

namespace {

void product(char transpose_a, char transpose_b, std::size_t m, std::size_t n, std::size_t k,
             const float* a, const float* b, float* c, Into into) {
  if (m == 0 || n == 0) return;
  stay_in_this_thread();
  const auto rows = static_cast<dnnl_dim_t>(m), columns = static_cast<dnnl_dim_t>(n),
             inner = static_cast<dnnl_dim_t>(k);
  const dnnl_status_t status = dnnl_sgemm(
      transpose_a, transpose_b, rows, columns, inner, 1.0F, a, transpose_a == 'N' ? inner : rows, b,
      transpose_b == 'N' ? columns : inner, into == Into::kAdd ? 1.0F : 0.0F, c, columns);
  if (status != dnnl_success) std::abort();  // its arguments are ours alone
}

}  // namespace

void product_nt(std::size_t m, std::size_t n, std::size_t k, const float* a, const float* b,
                float* c, Into into) {
  product('N', 'T', m, n, k, a, b, c, into);
}

void product_nn(std::size_t m, std::size_t n, std::size_t k, const float* a, const float* b,
                float* c, Into into) {
  product('N', 'N', m, n, k, a, b, c, into);
}

void product_tn(std::size_t m, std::size_t n, std::size_t k, const float* a, const float* b,
                float* c, Into into) {
  product('T', 'N', m, n, k, a, b, c, into);
}

}  // namespace plumb::nn
