#include "plumb/raters/probes/probe.h"

#include <algorithm>
#include <array>

#include "plumb/raters/probes/classify.h"
#include "plumb/raters/probes/cluster.h"
#include "plumb/raters/probes/similarity.h"

namespace plumb::raters {
namespace {

using tasks::Kind;

constexpr std::array<std::string_view, 3> kProtocols = {"default", "mteb", "mteb-legacy"};
constexpr std::array<std::string_view, 3> kSimilarities = {"cosine", "dot", "euclidean"};

template <typename Enum, std::size_t n>
std::optional<Enum> parse(const std::array<std::string_view, n>& names, std::string_view name) {
  const auto* found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

std::vector<tasks::AnswerSheet> compare(const tasks::Task& task, const EmbeddedTask& embedded,
                                        const ProbeOptions& options, int threads) {
  tasks::AnswerSheet sheet;
  sheet.provenance = {{"protocol", protocol_name(options.protocol)},
                      {"similarity", similarity_name(options.similarity)}};
  for (tasks::Answer& answer : similarity_answers(task, embedded, options, threads)) {
    sheet.answers.emplace_back(std::move(answer));
  }
  return {std::move(sheet)};
}

}  // namespace

std::string_view protocol_name(Protocol protocol) {
  return kProtocols[static_cast<std::size_t>(protocol)];
}
std::optional<Protocol> parse_protocol(std::string_view name) {
  return parse<Protocol>(kProtocols, name);
}
std::string_view similarity_name(Similarity similarity) {
  return kSimilarities[static_cast<std::size_t>(similarity)];
}
std::optional<Similarity> parse_similarity(std::string_view name) {
  return parse<Similarity>(kSimilarities, name);
}

Result<std::vector<tasks::AnswerSheet>> probe(const tasks::Task& task, const EmbeddedTask& embedded,
                                              const ProbeOptions& options,
                                              const tasks::RateOptions& rate) {
  switch (task.kind) {
    case Kind::kClassification:
      return classify(task, embedded, options, rate);
    case Kind::kClustering:
      return cluster(task, embedded, options, rate);
    case Kind::kSts:
    case Kind::kReranking:
    case Kind::kPreference:
      break;
  }
  return compare(task, embedded, options, rate.threads);
}

}  // namespace plumb::raters
