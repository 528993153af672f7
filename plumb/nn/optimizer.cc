#include "plumb/nn/optimizer.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>

#include "plumb/base/parallel.h"
#include "plumb/nn/kernels.h"

namespace plumb::nn {
namespace {

constexpr std::size_t kPieceFloats = std::size_t{1} << 15;

constexpr std::string_view kSchedules[] = {"constant", "linear", "cosine"};

}  // namespace

std::string_view schedule_name(Schedule schedule) {
  return kSchedules[static_cast<std::size_t>(schedule)];
}

std::optional<Schedule> parse_schedule(std::string_view name) {
  const auto* const found = std::ranges::find(kSchedules, name);
  if (found == std::end(kSchedules)) return std::nullopt;
  return static_cast<Schedule>(found - std::begin(kSchedules));
}

float RateSchedule::at(std::size_t step) const {
  if (step < warmup) {
    return rate * static_cast<float>(step + 1) / static_cast<float>(warmup);
  }
  if (kind == Schedule::kConstant) return rate;
  const std::size_t length = steps > warmup ? steps - warmup : 1;
  const double done =
      std::min(1.0, static_cast<double>(step - warmup) / static_cast<double>(length));
  const double left =
      kind == Schedule::kLinear ? 1 - done : 0.5 * (1 + std::cos(std::numbers::pi * done));
  const double share = static_cast<double>(final_share);
  return rate * static_cast<float>(share + (1 - share) * left);
}

Optimizer::Optimizer(const Transformer& model, const AdamOptions& options)
    : options_(options), first_(model.layout().size), second_(model.layout().size) {
  for (const Parameter& parameter : model.layout().parameters) {
    for (std::size_t done = 0; done < parameter.size; done += kPieceFloats) {
      pieces_.push_back({parameter.offset + done, std::min(kPieceFloats, parameter.size - done),
                         decays(parameter)});
    }
  }
  squares_.resize(pieces_.size());
}

double Optimizer::step(Transformer& model, std::span<Buffer> gradients, float rate, int threads) {
  const Kernels& k = kernels();
  float* sum = gradients[0].data();
  parallel_for(pieces_.size(), 8, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const Piece& piece = pieces_[i];
      for (const Buffer& other : gradients.subspan(1)) {
        k.add(piece.size, other.data() + piece.offset, sum + piece.offset);
      }
      squares_[i] = k.sum_of_squares(piece.size, sum + piece.offset);
    }
  });
  double squares = 0;
  for (const double square : squares_) squares += square;
  const double norm = std::sqrt(squares);
  if (!std::isfinite(norm)) return norm;

  ++steps_;
  const auto count = static_cast<double>(steps_);
  const double clip = static_cast<double>(options_.clip);
  AdamStep adam{
      .rate = rate,
      .beta1 = options_.beta1,
      .beta2 = options_.beta2,
      .epsilon = options_.epsilon,
      .decay = 0,
      .correction1 = static_cast<float>(1 - std::pow(static_cast<double>(options_.beta1), count)),
      .correction2 = static_cast<float>(1 - std::pow(static_cast<double>(options_.beta2), count)),
      .gradient_scale = clip > 0 && norm > clip ? static_cast<float>(clip / norm) : 1.0F};
  parallel_for(pieces_.size(), 8, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const Piece& piece = pieces_[i];
      AdamStep own = adam;
      own.decay = piece.decays ? options_.decay : 0.0F;
      k.adam(own, piece.size, sum + piece.offset, model.values().data() + piece.offset,
             first_.data() + piece.offset, second_.data() + piece.offset);
    }
  });
  return norm;
}

}  // namespace plumb::nn
