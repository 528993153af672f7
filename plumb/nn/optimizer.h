// AdamW with clipping of the gradient's norm, and the schedules of its rate.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "plumb/nn/buffer.h"
#include "plumb/nn/transformer.h"

namespace plumb::nn {

struct AdamOptions {
  float beta1 = 0.9F, beta2 = 0.95F, epsilon = 1e-8F;
  float decay = 0.1F;  // of matrices; decoupled (Loshchilov and Hutter 2019)
  float clip = 1.0F;   // the gradient is scaled down to this norm; 0: never
};

enum class Schedule { kConstant, kLinear, kCosine };

std::string_view schedule_name(Schedule schedule);  // "constant", "linear", "cosine"
std::optional<Schedule> parse_schedule(std::string_view name);

struct RateSchedule {
  Schedule kind = Schedule::kCosine;
  float rate = 1e-3F;        // the highest
  float final_share = 0.1F;  // of `rate`, where a linear or cosine schedule ends
  std::size_t warmup = 0;    // steps in which the rate rises linearly from 0
  std::size_t steps = 1;     // of the whole training

  // The rate of step `step`, from 0 on. Behind `steps` it stays at its final share.
  float at(std::size_t step) const;
};

class Optimizer {
 public:
  Optimizer(const Transformer& model, const AdamOptions& options);

  // One step of the parameters. gradients: shards of the layout's size, which are summed in their
  // order (the first one holds the sum afterwards). Returns the norm of the sum before clipping; a
  // norm that is not finite leaves the parameters as they were. Bytes do not depend on `threads`.
  double step(Transformer& model, std::span<Buffer> gradients, float rate, int threads);

  // For saving and resuming: moments in the parameters' layout, and steps done.
  Buffer& first() { return first_; }
  Buffer& second() { return second_; }
  std::size_t& steps() { return steps_; }

 private:
  // A stretch of floats that all decay or all do not.
  struct Piece {
    std::size_t offset, size;
    bool decays;
  };

  AdamOptions options_;
  std::vector<Piece> pieces_;
  std::vector<double> squares_;  // of each piece
  Buffer first_, second_;
  std::size_t steps_ = 0;
};

}  // namespace plumb::nn
