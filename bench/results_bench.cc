// Reads a tree of result files: bench_results TREE FILES makes the tree where it is not there yet,
// with the shape of MTEB 2 result files (ranking metrics at seven cutoffs with their abstention
// curves, ten experiments of a classifier), then reads it and prints the seconds.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>

#include "plumb/base/files.h"
#include "plumb/base/json.h"
#include "plumb/base/parallel.h"
#include "plumb/base/random.h"
#include "plumb/gap/figures.h"

namespace {

namespace fs = std::filesystem;
using plumb::Json;
using plumb::Stream;

constexpr std::size_t kFilesPerModel = 100;
constexpr int kCutoffs[] = {1, 3, 5, 10, 20, 100, 1000};

double score(Stream& stream) { return static_cast<double>(stream.below(100000)) / 100000; }

Json ranking_entry(Stream& stream) {
  Json entry;
  for (const char* metric : {"ndcg", "map", "recall", "precision", "mrr", "hit_rate"}) {
    for (const int k : kCutoffs) entry[fmt::format("{}_at_{}", metric, k)] = score(stream);
  }
  for (const char* metric : {"ndcg", "map", "recall", "precision", "mrr"}) {
    for (const int k : kCutoffs) {
      for (const char* curve : {"max", "std", "diff1"}) {
        entry[fmt::format("nauc_{}_at_{}_{}", metric, k, curve)] = score(stream);
      }
    }
  }
  entry["main_score"] = entry["map_at_1000"];
  return entry;
}

Json classification_entry(Stream& stream) {
  Json entry;
  for (int i = 0; i < 10; ++i) {
    Json experiment;
    for (const char* metric : {"accuracy", "f1", "f1_weighted", "precision", "recall", "ap"}) {
      experiment[metric] = score(stream);
    }
    entry["scores_per_experiment"].push_back(experiment);
  }
  for (const char* metric : {"accuracy", "f1", "f1_weighted"}) entry[metric] = score(stream);
  entry["main_score"] = entry["accuracy"];
  return entry;
}

std::string result_file(std::size_t number) {
  Stream stream(1, "results bench", number);
  Json file = {{"dataset_revision", "0123456789abcdef"},
               {"task_name", fmt::format("Task{}", number % kFilesPerModel)},
               {"mteb_version", "2.12.7"}};
  for (const char* subset : {"en", "da", "no"}) {
    Json entry = number % 2 == 0 ? ranking_entry(stream) : classification_entry(stream);
    entry["hf_subset"] = subset;
    entry["languages"] = {"eng-Latn"};
    file["scores"]["test"].push_back(entry);
  }
  file["evaluation_time"] = score(stream);
  return plumb::to_text(file, 2);
}

void make_tree(const fs::path& tree, std::size_t files) {
  for (std::size_t model = 0; model * kFilesPerModel < files; ++model) {
    fs::create_directories(tree / fmt::format("org__model-{}", model) / "main");
  }
  plumb::parallel_for(files, 64, 0, [&tree](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const fs::path path = tree / fmt::format("org__model-{}", i / kFilesPerModel) / "main" /
                            fmt::format("Task{}.json", i % kFilesPerModel);
      const std::string text = result_file(i);
      std::FILE* file = std::fopen(path.c_str(), "wb");
      if (file == nullptr) return;
      std::fwrite(text.data(), 1, text.size(), file);
      std::fclose(file);
    }
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: bench_results TREE FILES\n");
    return 2;
  }
  const fs::path tree = argv[1];
  if (!fs::exists(tree)) make_tree(tree, std::stoul(argv[2]));
  const auto start = std::chrono::steady_clock::now();
  const auto figures = plumb::gap::load_figures(tree.string());
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!figures) {
    fmt::print(stderr, "{}\n", figures.error().message);
    return 1;
  }
  fmt::print("{{\"name\": \"results\", \"files\": {}, \"seconds\": {:.4f}}}\n", figures->files,
             seconds);
  return 0;
}
