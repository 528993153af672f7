#include "plumb/raters/probes/similarity.h"

#include <algorithm>
#include <cmath>

#include "plumb/base/parallel.h"
#include "plumb/raters/probes/matrix.h"

namespace plumb::raters {
namespace {

using tasks::Answer;
using tasks::Kind;

std::vector<double> squared_norms(const Vectors& vectors, int threads) {
  std::vector<double> norms(vectors.rows());
  parallel_for(norms.size(), 1024, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) {
      if (vectors.is_dense()) {
        dot_rows(vectors.dense_row(row), vectors.dense_values(), {&row, 1}, {&norms[row], 1});
      } else {
        norms[row] = vectors.squared_norm(row);
      }
    }
  });
  return norms;
}

class Comparison {
 public:
  Comparison(const EmbeddedTask& embedded, const tasks::Task& task, const ProbeOptions& options,
             int threads)
      : texts_(embedded.texts),
        queries_(task.kind == Kind::kSts ? embedded.texts : embedded.queries),
        similarity_(options.similarity),
        mteb_ratings_(task.kind == Kind::kSts && options.protocol != Protocol::kDefault),
        text_norms_(squared_norms(texts_, threads)),
        query_norms_(task.kind == Kind::kSts ? text_norms_ : squared_norms(queries_, threads)) {}

  // Of row `query` of the queries with each of these rows of the texts.
  std::vector<double> of(std::size_t query, std::span<const std::size_t> rows) const {
    std::vector<double> values(rows.size());
    if (similarity_ == Similarity::kEuclidean) {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        values[i] = -std::sqrt(squared_distance(queries_, query, texts_, rows[i]));
      }
      return values;
    }
    if (texts_.is_dense()) {
      dot_rows(queries_.dense_row(query), texts_.dense_values(), rows, values);
    } else {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        values[i] = dot(queries_, query, texts_, rows[i]);
      }
    }
    if (similarity_ == Similarity::kDot) return values;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      values[i] = cosine(values[i], query_norms_[query], text_norms_[rows[i]]);
    }
    return values;
  }

 private:
  // a, b: squared norms. Under one root, for then equal vectors have exactly 1.
  double cosine(double product, double a, double b) const {
    if (a == 0 || b == 0) return mteb_ratings_ ? (a == b ? 1 : 0.5) : 0;
    return product / std::sqrt(a * b);
  }

  const Vectors& texts_;
  const Vectors& queries_;
  Similarity similarity_;
  bool mteb_ratings_;
  std::vector<double> text_norms_, query_norms_;
};

Answer preferred(double a, double b) {
  const auto choice = a > b ? tasks::Choice::kA : b > a ? tasks::Choice::kB : tasks::Choice::kTie;
  return {static_cast<double>(choice), 0};
}

}  // namespace

std::vector<Answer> similarity_answers(const tasks::Task& task, const EmbeddedTask& embedded,
                                       const ProbeOptions& options, int threads) {
  const Comparison comparison(embedded, task, options, threads);
  std::vector<Answer> answers(task.items.size());
  parallel_for(answers.size(), 16, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto rows = std::span(embedded.rows[i]);
      answers[i] = comparison.of(rows[0], rows.subspan(1));
      if (task.kind == Kind::kPreference) answers[i] = preferred(answers[i][0], answers[i][1]);
    }
  });
  return answers;
}

}  // namespace plumb::raters
