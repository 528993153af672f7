// A transformer prepared for passes that only predict: its products in f32, bf16 or int8.
//
// bf16 rounds weights and the inputs of products, and adds in f32. int8 has a scale for each row of
// a weight and, found as it goes, a scale and a zero for each row of activations; its sums are
// whole numbers. Norms, attention and activations stay in f32. Where the processor has AVX-512, a
// sequence's bits do not depend on the others in its batch, in any precision.
//
//   PLUMB_TRY(weights, InferenceWeights::make(model, Precision::kInt8));
//   Pass pass(weights, 512);   // one a thread
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/nn/buffer.h"
#include "plumb/nn/packed_matrix.h"
#include "plumb/nn/precision.h"
#include "plumb/nn/transformer.h"

namespace plumb::nn {

class InferenceScratch;

class InferenceWeights {
 public:
  // `model` must outlive it and stay as it is. kUsage: what check_precision() says; a model too
  // wide for int8. Throws std::bad_alloc: bf16 takes 2 bytes more a weight of a layer, int8 1 byte.
  static Result<InferenceWeights> make(const Transformer& model, Precision precision);

  const Transformer& model() const { return *model_; }
  Precision precision() const { return precision_; }

  // out[rows, outputs] (+)= in[rows, inputs] W^T + bias, of the weight at this offset of the
  // layout. Reads and writes whole kRowStep of rows.
  void linear(std::size_t weight, std::size_t rows, const float* in, float* out, Into into,
              InferenceScratch& scratch) const;

  // out[rows, width] += down(activation(up(in))), some rows at a time, so that what is between
  // stays near the processor.
  void feed_forward(std::size_t layer, std::size_t rows, const float* in, float* out,
                    InferenceScratch& scratch) const;

  // Of all products but the head's, which has its own rows.
  std::size_t most_inputs() const;
  std::size_t most_outputs() const;

 private:
  InferenceWeights(const Transformer& model, Precision precision)
      : model_(&model), precision_(precision) {}

  void add(std::size_t outputs, std::size_t inputs, std::size_t weight, std::size_t bias);
  void round(std::size_t rows, std::size_t width, const float* in, InferenceScratch& scratch) const;
  void multiply(const PackedMatrix& matrix, std::size_t rows, float* out, Into into,
                InferenceScratch& scratch) const;

  const Transformer* model_;
  Precision precision_;
  std::unordered_map<std::size_t, PackedMatrix> matrices_;  // by the weight's offset
};

// What one thread needs beside its activations.
class InferenceScratch {
 public:
  explicit InferenceScratch(const InferenceWeights& weights);

 private:
  friend class InferenceWeights;

  std::uint16_t* halves() { return reinterpret_cast<std::uint16_t*>(rounded_.data()); }
  std::uint8_t* bytes() { return reinterpret_cast<std::uint8_t*>(rounded_.data()); }
  std::int32_t* sums() { return reinterpret_cast<std::int32_t*>(products_.data()); }

  Buffer rounded_;                // [kRows, most inputs] in bf16 or int8
  Buffer products_;               // [kRows, most outputs] floats, in int8 sums
  Buffer up_row_;                 // int8: [hidden or 2 * hidden]
  Buffer active_;                 // f32: [kRows, hidden]; else a row
  std::vector<RowScale> scales_;  // int8: [kRows]
};

}  // namespace plumb::nn
