// Times the paired bootstrap of Spearman's correlation: 1,379 pairs, 10 models, 10,000 resamples.
//
//   bootstrap_bench pairs.csv > plumb.json     # writes the data that it used
//   python3 bench/bootstrap_peer.py pairs.csv  # the same job in SciPy and in NumPy
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "plumb/base/random.h"
#include "plumb/stats/bootstrap.h"

namespace {

using plumb::stats::Draws;

constexpr std::size_t kPairs = 1379, kModels = 10, kResamples = 10000;
constexpr int kRepeats = 5;

struct Data {
  std::vector<double> gold;  // 0 to 5 in steps of 0.2, as STSBenchmark's
  std::vector<std::vector<double>> models;
};

Data make_data() {
  Data data;
  plumb::Stream stream(1, "bootstrap-bench", 0);
  for (std::size_t i = 0; i < kPairs; ++i) data.gold.push_back(0.2 * stream.below(26));
  for (std::size_t m = 0; m < kModels; ++m) {
    std::vector<double> model;
    const double noise = 1 + static_cast<double>(m);
    for (const double gold : data.gold) model.push_back(gold + noise * (stream.uniform() - 0.5));
    data.models.push_back(model);
  }
  return data;
}

void write_csv(const Data& data, const std::string& path) {
  std::ofstream file(path);
  for (std::size_t i = 0; i < kPairs; ++i) {
    file << fmt::format("{}", data.gold[i]);
    for (const std::vector<double>& model : data.models) file << fmt::format(",{}", model[i]);
    file << '\n';
  }
}

Draws bootstrap(const Data& data, int threads) {
  return plumb::stats::paired_spearman_bootstrap(
      data.gold, data.models, {.resamples = kResamples, .seed = 1, .threads = threads});
}

// The best of several runs.
double seconds(const Data& data, int threads) {
  double best = INFINITY;
  for (int i = 0; i < kRepeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    bootstrap(data, threads);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    best = std::min(best, taken.count());
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  const Data data = make_data();
  if (argc > 1) write_csv(data, argv[1]);
  const auto first = summarize(bootstrap(data, 1), 0, {});
  fmt::print(R"({{"name":"paired-spearman-bootstrap","seconds":{:.4f},"seconds_one_thread":{:.4f},)"
             R"("pairs":{},"models":{},"resamples":{},"first_model":[{:.6f},{:.6f},{:.6f}]}})"
             "\n",
             seconds(data, 2), seconds(data, 1), kPairs, kModels, kResamples, first.point.value(),
             first.interval->low, first.interval->high);
}
