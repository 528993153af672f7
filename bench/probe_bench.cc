// Times the probes, one a run:
//
//   bench_probe classification DATA   MTEB's protocol: 10 draws of 8 texts a label, 2,000 test
//   texts bench_probe clustering DATA       MTEB's protocol: mini-batch k-means, and V-measure
//   bench_probe reranking DATA        cosine and expected average precision
//
// DATA: little-endian; the integers rows, dimension, labels, first, documents, then rows x
// dimension floats and rows int32 labels; for reranking first x documents int32 places of documents
// and as many int8 grades. bench/probe_peer.py makes the files and does the same jobs with what
// people would use instead. Prints one JSON object with the best of the runs of a second.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "plumb/base/parallel.h"
#include "plumb/raters/probes/probe.h"
#include "plumb/raters/probes/similarity.h"
#include "plumb/stats/clustering.h"
#include "plumb/stats/ranking.h"

namespace {

using plumb::raters::EmbeddedTask;
using plumb::raters::Protocol;
using plumb::raters::Vectors;
using plumb::tasks::Task;

struct Data {
  std::int32_t rows, dimension, labels, first, documents;
  std::vector<float> values;
  std::vector<std::int32_t> label_of, places;
  std::vector<std::int8_t> grades;
};

template <typename T>
std::vector<T> read(std::ifstream& file, std::size_t count) {
  std::vector<T> values(count);
  file.read(reinterpret_cast<char*>(values.data()),
            static_cast<std::streamsize>(count * sizeof(T)));
  return values;
}

Data read_data(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const auto header = read<std::int32_t>(file, 5);
  Data data{header[0], header[1], header[2], header[3], header[4], {}, {}, {}, {}};
  const auto rows = static_cast<std::size_t>(data.rows);
  data.values = read<float>(file, rows * static_cast<std::size_t>(data.dimension));
  data.label_of = read<std::int32_t>(file, rows);
  const auto pairs =
      static_cast<std::size_t>(data.first) * static_cast<std::size_t>(data.documents);
  data.places = read<std::int32_t>(file, pairs);
  data.grades = read<std::int8_t>(file, pairs);
  if (!file) {
    fmt::print(stderr, "{} is cut short\n", path);
    std::exit(1);
  }
  return data;
}

// Texts are not looked at.
plumb::tasks::Item item_of(std::size_t number, plumb::tasks::Answer gold) {
  return {fmt::format("{}", number), {""}, std::move(gold)};
}

struct Job {
  Task task;
  EmbeddedTask embedded;
};

double accuracy(const Task& task, const plumb::tasks::AnswerSheet& sheet) {
  double right = 0;
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    right += *sheet.answers[i] == task.items[i].gold ? 1 : 0;
  }
  return right / static_cast<double>(task.items.size());
}

double v_measure(const Task& task, const plumb::tasks::AnswerSheet& sheet) {
  std::vector<int> gold, answers;
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    gold.push_back(static_cast<int>(task.items[i].gold[0]));
    answers.push_back(static_cast<int>((*sheet.answers[i])[0]));
  }
  return plumb::stats::v_measure(*plumb::stats::contingency(gold, answers));
}

std::vector<double> probe_scores(const Job& job) {
  const auto sheets =
      plumb::raters::probe(job.task, job.embedded, {.protocol = Protocol::kMteb}, {});
  std::vector<double> scores;
  for (const auto& sheet : *sheets) {
    const bool labels = job.task.kind == plumb::tasks::Kind::kClassification;
    scores.push_back(labels ? accuracy(job.task, sheet) : v_measure(job.task, sheet));
  }
  return scores;
}

// The first half of the rows are training texts.
Job classification(const Data& data, EmbeddedTask embedded) {
  Job job{{.kind = plumb::tasks::Kind::kClassification}, std::move(embedded)};
  job.task.labels.resize(static_cast<std::size_t>(data.labels));
  const std::size_t half = data.label_of.size() / 2;
  for (std::size_t i = 0; i < data.label_of.size(); ++i) {
    auto item = item_of(i, {static_cast<double>(data.label_of[i])});
    (i < half ? job.task.train : job.task.items).push_back(std::move(item));
    if (i < half) {
      job.embedded.train_rows.push_back(i);
    } else {
      job.embedded.rows.push_back({i});
    }
  }
  return job;
}

Job clustering(const Data& data, EmbeddedTask embedded) {
  Job job{{.kind = plumb::tasks::Kind::kClustering}, std::move(embedded)};
  for (std::size_t i = 0; i < data.label_of.size(); ++i) {
    job.task.items.push_back(item_of(i, {static_cast<double>(data.label_of[i])}));
    job.embedded.rows.push_back({i});
  }
  return job;
}

// The first rows are the queries.
Job reranking(const Data& data, EmbeddedTask embedded) {
  Job job{{.kind = plumb::tasks::Kind::kReranking}, std::move(embedded)};
  job.embedded.queries = job.embedded.texts;
  const auto documents = static_cast<std::size_t>(data.documents);
  for (std::size_t query = 0; query < static_cast<std::size_t>(data.first); ++query) {
    const auto* places = data.places.data() + query * documents;
    const auto* grades = data.grades.data() + query * documents;
    job.task.items.push_back(item_of(query, {grades, grades + documents}));
    auto& rows = job.embedded.rows.emplace_back(1, query);
    rows.insert(rows.end(), places, places + documents);
  }
  return job;
}

std::vector<double> mean_precision(const Job& job) {
  const auto& items = job.task.items;
  const auto answers = plumb::raters::similarity_answers(job.task, job.embedded, {}, 0);
  std::vector<double> values(items.size());
  plumb::parallel_for(items.size(), 64, 0, [&](std::size_t begin, std::size_t end) {
    std::vector<plumb::stats::Document> documents;
    for (std::size_t i = begin; i < end; ++i) {
      documents.clear();
      for (std::size_t d = 0; d < items[i].gold.size(); ++d) {
        documents.push_back({items[i].gold[d], answers[i][d]});
      }
      values[i] = *plumb::stats::average_precision(documents);
    }
  });
  return {std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size())};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: bench_probe classification|clustering|reranking DATA\n");
    return 2;
  }
  const std::string what = argv[1];
  const Data data = read_data(argv[2]);
  EmbeddedTask embedded{.texts =
                            Vectors::dense(static_cast<std::size_t>(data.dimension), data.values)};
  const auto make = what == "classification" ? classification
                    : what == "clustering"   ? clustering
                                             : reranking;
  const auto run = what == "reranking" ? mean_precision : probe_scores;
  const Job job = make(data, std::move(embedded));
  double best = std::numeric_limits<double>::infinity(), total = 0;
  std::vector<double> scores;
  for (int repeat = 0; repeat < 3 || total < 1; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    scores = run(job);
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::min(best, seconds);
    total += seconds;
  }
  fmt::print("{{\"name\": \"probe {}\", \"seconds\": {:.5f}, \"scores\": [{:.9f}]}}\n", what, best,
             fmt::join(scores, ", "));
  return 0;
}
