// Every architecture against tests/golden/transformers.py: read from a folder that is written here
// under the names its authors use, run forward and backward, and written out again, by whose names
// the gradients are compared.
#include <gtest/gtest.h>

#include <cmath>

#include "plumb/base/files.h"
#include "plumb/base/json.h"
#include "plumb/nn/checkpoint.h"
#include "plumb/nn/pass.h"
#include "plumb/nn/testing.h"

namespace plumb::nn {
namespace {

constexpr double kTolerance = 1e-4;  // relative
constexpr double kRounding = 2e-6;   // of what should be 0: a bias of keys changes no attention

const Json& golden() {
  static const Json json = Json::parse(*read_file("tests/golden/transformers.json"));
  return json;
}

// Expects the norm and the chosen entries; entries to the tolerance times the root mean square.
void expect_figures(std::span<const float> values, const Json& figures, const std::string& what) {
  double squares = 0;
  for (const float value : values) squares += static_cast<double>(value) * value;
  const double norm = figures["norm"];
  EXPECT_NEAR(std::sqrt(squares), norm, kTolerance * norm + kRounding) << what;
  const double typical = norm / std::sqrt(static_cast<double>(values.size()));
  for (const Json& entry : figures["entries"]) {
    const double expected = entry[1];
    EXPECT_NEAR(values[entry[0].get<std::size_t>()], expected,
                kTolerance * std::max(std::abs(expected), typical) + kRounding)
        << what << " at " << entry[0];
  }
}

struct TestBatch {
  std::vector<std::int32_t> tokens, segments, targets;
  std::vector<std::uint32_t> starts = {0};
  float predicted = 0;

  TestBatch() {
    for (const Json& sequence : golden()["sequences"]) {
      const std::size_t n = sequence.size();
      for (std::size_t i = 0; i < n; ++i) {
        tokens.push_back(sequence[i]);
        segments.push_back(i < (n + 1) / 2 ? 0 : 1);
        targets.push_back(i + 1 < n ? sequence[i + 1].get<std::int32_t>() : kNoTarget);
        predicted += i + 1 < n ? 1.0F : 0.0F;
      }
      starts.push_back(static_cast<std::uint32_t>(tokens.size()));
    }
  }
};

class GoldenTransformer : public testing::TestWithParam<std::size_t> {
 protected:
  GoldenTransformer()
      : folder_(std::filesystem::path(testing::TempDir()) /
                fmt::format("golden_{}_{}", ::getpid(), GetParam())) {
    const Json& one = golden()["cases"][GetParam()];
    std::vector<std::vector<float>> values;
    std::vector<Tensor> tensors;
    for (const Json& row : one["tensors"]) {
      const Shape shape = row["shape"];
      std::size_t count = 1;
      for (const std::size_t dimension : shape) count *= dimension;
      auto& floats = values.emplace_back(count);
      for (std::size_t i = 0; i < count; ++i) {
        floats[i] = static_cast<float>(row["base"].get<double>() +
                                       row["amplitude"].get<double>() * hashed(i, tensors.size()));
      }
      tensors.push_back(tensor_of(row["name"], shape, floats));
    }
    std::filesystem::create_directories(folder_);
    EXPECT_TRUE(write_safetensors(folder_ / "model.safetensors", tensors));
    EXPECT_TRUE(write_file_atomic(folder_ / "config.json", to_text(one["config"])));
  }
  ~GoldenTransformer() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
};

TEST_P(GoldenTransformer, HasTheSameActivationsLossAndGradients) {
  const Json& one = golden()["cases"][GetParam()];
  const auto model = load_transformer(folder_);
  ASSERT_TRUE(model) << model.error().message;
  const TestBatch batch;
  Pass pass(*model, batch.tokens.size(), PassKind::kTraining);
  std::span<const std::int32_t> segments = batch.segments;
  if (model->config().segments < 2) segments = {};
  pass.forward({batch.tokens, batch.starts, segments});
  expect_figures(pass.hidden(), one["hidden"], "hidden");

  Transformer gradient(model->config());
  double loss = 0;
  if (model->config().language_head) {
    std::vector<std::size_t> rows(batch.tokens.size());
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = i;
    std::vector<float> logits(rows.size() * model->config().vocabulary);
    pass.logits(rows, logits);
    expect_figures(logits, one["logits"], "logits");
    loss = pass.add_cross_entropy(batch.targets, 1.0F / batch.predicted, gradient.values()) /
           static_cast<double>(batch.predicted);
  } else if (model->config().scalar_head) {
    std::vector<float> scalars(batch.tokens.size()), weights;
    pass.scalars(scalars);
    for (std::size_t i = 0; i < scalars.size(); ++i) {
      weights.push_back(static_cast<float>(hashed(i, 1000)));
      loss += static_cast<double>(scalars[i]) * weights[i];
    }
    pass.add_scalar_gradient(weights, gradient.values());
  } else {
    std::vector<float> weights;
    for (std::size_t i = 0; i < pass.hidden().size(); ++i) {
      weights.push_back(static_cast<float>(hashed(i, 1000)));
      loss += static_cast<double>(pass.hidden()[i]) * weights[i];
    }
    pass.add_hidden_gradient(weights);
  }
  EXPECT_NEAR(loss, one["loss"], kTolerance * std::abs(one["loss"].get<double>()));
  pass.backward(gradient.values());

  ASSERT_TRUE(save_transformer(folder_ / "gradient", gradient));
  const auto written = Checkpoint::open(folder_ / "gradient" / "model.safetensors");
  ASSERT_TRUE(written);
  for (const Json& row : one["tensors"]) {
    const std::string name = row["name"];
    const Tensor* tensor = written->find(name);
    if (tensor == nullptr)
      tensor = written->find(one["config"]["model_type"].get<std::string>() + "." + name);
    ASSERT_NE(tensor, nullptr) << name;
    ASSERT_EQ(tensor->shape, row["shape"].get<Shape>()) << name;
    std::vector<float> values(tensor->elements());
    ASSERT_TRUE(tensor->copy_to(values));
    expect_figures(values, row["gradient"], name);
  }
}

TEST_P(GoldenTransformer, IsWrittenAsItWasRead) {
  const auto model = load_transformer(folder_);
  ASSERT_TRUE(model) << model.error().message;
  ASSERT_TRUE(save_transformer(folder_ / "copy", *model));
  const auto again = load_transformer(folder_ / "copy");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->config(), model->config());
  EXPECT_TRUE(std::ranges::equal(again->values(), model->values()));
}

INSTANTIATE_TEST_SUITE_P(Of, GoldenTransformer,
                         testing::Range(std::size_t{0}, golden()["cases"].size()),
                         [](const auto& param) {
                           std::string name = golden()["cases"][param.param]["name"];
                           std::ranges::replace(name, ' ', '_');
                           return name;
                         });

}  // namespace
}  // namespace plumb::nn
