// Products of matrices, by oneDNN, single-threaded: the engine splits its work over sequences, and
// every product runs in the thread that asks for it. All matrices are float and row-major.
#pragma once

#include <cstddef>

namespace plumb::nn {

// Whether the result replaces C or is added to it.
enum class Into { kReplace, kAdd };

// C[m, n] = A[m, k] B[n, k]^T: the forward of a layer whose weight B has a row an output.
void product_nt(std::size_t m, std::size_t n, std::size_t k, const float* a, const float* b,
                float* c, Into into = Into::kReplace);

// C[m, n] = A[m, k] B[k, n]: the gradient of its input.
void product_nn(std::size_t m, std::size_t n, std::size_t k, const float* a, const float* b,
                float* c, Into into = Into::kReplace);

// C[m, n] = A[k, m]^T B[k, n]: the gradient of its weight.
void product_tn(std::size_t m, std::size_t n, std::size_t k, const float* a, const float* b,
                float* c, Into into = Into::kReplace);

// Keeps oneDNN to the thread that calls it; every product does so itself.
void stay_in_this_thread();

}  // namespace plumb::nn
