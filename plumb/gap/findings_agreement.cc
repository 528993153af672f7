#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cmath>
#include <set>

#include "plumb/gap/findings_checks.h"

namespace plumb::gap {
namespace {

std::string_view landis_koch(double kappa) {
  constexpr std::array<std::pair<double, std::string_view>, 5> kBands = {
      {{0.0, "Poor"}, {0.2, "Slight"}, {0.4, "Fair"}, {0.6, "Moderate"}, {0.8, "Substantial"}}};
  for (const auto& [limit, word] : kBands) {
    if (kappa < limit || (limit > 0 && kappa <= limit)) return word;
  }
  return "Almost perfect";
}

}  // namespace

std::optional<Finding> interpretations(const Evidence& evidence) {
  std::vector<std::string> wrong;
  for (std::size_t s = 0; s < evidence.subsets(); ++s) {
    const Agreement* agreement = evidence.board.people[s].agreement;
    if (!agreement || agreement->interpretation.empty()) continue;
    const std::string_view word = landis_koch(*agreement->value());
    if (agreement->interpretation.starts_with(word)) continue;
    wrong.push_back(fmt::format("{} {:.3f} is called {}, the scale says {}",
                                short_label(evidence.board.subsets[s]), *agreement->value(),
                                agreement->interpretation, word));
  }
  if (wrong.empty()) return std::nullopt;
  return Finding{"agreement-words", "An agreement is given a better word than its own scale",
                 !wrong.empty(), fmt::format("{}", fmt::join(wrong, "; "))};
}

std::optional<Finding> kendall_twice(const Evidence& evidence) {
  std::size_t subsets = 0, same = 0;
  for (std::size_t s = 0; s < evidence.subsets(); ++s) {
    const Agreement* agreement = evidence.board.people[s].agreement;
    const auto rho = agreement ? agreement->find("mean_spearman") : std::nullopt;
    const auto tau = agreement ? agreement->find("mean_kendall_tau") : std::nullopt;
    if (!rho || !tau) continue;
    ++subsets;
    same += std::abs(*rho - *tau) < kSame ? 1 : 0;
  }
  if (subsets == 0) return std::nullopt;
  return Finding{
      "one-number-twice", "Spearman and Kendall agreement of rerankings are one number",
      same == subsets,
      fmt::format("equal on {} of {} subsets: on binary marks both are the phi coefficient", same,
                  subsets)};
}

std::optional<Finding> dropped_comparisons(const Evidence& evidence) {
  std::vector<std::string> short_of;
  for (std::size_t s = 0; s < evidence.subsets(); ++s) {
    const Agreement* agreement = evidence.board.people[s].agreement;
    const auto items = agreement ? agreement->find("n_items") : std::nullopt;
    const auto compared = agreement ? agreement->find("n_comparisons") : std::nullopt;
    if (!items || !compared || *compared == *items) continue;
    short_of.push_back(fmt::format("{}: {:.0f} of {:.0f} queries",
                                   short_label(evidence.board.subsets[s]), *compared, *items));
  }
  if (short_of.empty()) return std::nullopt;
  return Finding{"dropped-comparisons", "Undefined agreements were dropped without a word",
                 !short_of.empty(),
                 fmt::format("{}; a constant answer has no correlation, and it is the one that "
                             "disagrees most",
                             fmt::join(short_of, ", "))};
}

std::optional<Finding> unknown_agreement(const Evidence& evidence) {
  std::set<std::string> languages;
  std::size_t unknown = 0;
  for (std::size_t s = 0; s < evidence.subsets(); ++s) {
    if (evidence.board.people[s].agreement) continue;
    ++unknown;
    languages.insert(evidence.board.subsets[s].language);
  }
  if (unknown == 0) return std::nullopt;
  return Finding{
      "unknown-agreement", "Agreement is not known where one person annotated", unknown > 0,
      fmt::format("{} of {} subsets, all of {}: the ones behind the claims on those languages",
                  unknown, evidence.subsets(), fmt::join(languages, ", "))};
}

std::optional<Finding> disagreeing_experts(const Evidence& evidence) {
  std::vector<std::string> parts;
  for (std::size_t s = 0; s < evidence.subsets(); ++s) {
    const Agreement* agreement = evidence.board.people[s].agreement;
    if (!agreement || agreement->metric != "mean_pairwise_ari" || *agreement->value() > 0.05)
      continue;
    std::vector<std::string> gold;
    for (const Entry* annotator : evidence.annotators) {
      const BoardSubset& subset = evidence.board.subsets[s];
      const Cell* cell = annotator->find(subset.task, subset.subset);
      if (cell && cell->find("ari")) gold.push_back(fmt::format("{:.3f}", *cell->find("ari")));
    }
    parts.push_back(fmt::format("{}: ARI {:.3f} with each other, {} with the gold",
                                short_label(evidence.board.subsets[s]), *agreement->value(),
                                fmt::join(gold, " and ")));
  }
  if (parts.empty()) return std::nullopt;
  return Finding{"no-agreement", "Annotators who agree with the gold do not agree with each other",
                 !parts.empty(),
                 fmt::format("{}; possible, but an error in the records is not ruled out",
                             fmt::join(parts, "; "))};
}

std::optional<Finding> whole_counts(const Evidence& evidence) {
  std::vector<std::string> parts;
  std::size_t whole = 0;
  for (std::size_t s = 0; s < evidence.subsets(); ++s) {
    const Agreement* agreement = evidence.board.people[s].agreement;
    if (!agreement || agreement->metric != "fleiss_kappa") continue;
    const auto observed = agreement->find("mean_percentage_agreement");
    const auto cohen = agreement->find("mean_pairwise_kappa");
    const auto n = agreement->find("n_items");
    if (!observed || !cohen || !n) continue;
    const double fleiss = *agreement->value();
    const double cohen_pairs = (*observed - *cohen) / (1 - *cohen) * *n * *n;
    const double fleiss_pairs = (*observed - fleiss) / (1 - fleiss) * 4 * *n * *n;
    whole += std::abs(cohen_pairs - std::round(cohen_pairs)) < 1e-6 ? 1 : 0;
    whole += std::abs(fleiss_pairs - std::round(fleiss_pairs)) < 1e-6 ? 1 : 0;
    parts.push_back(fmt::format("{} {:.0f}/{:.0f}", short_label(evidence.board.subsets[s]),
                                cohen_pairs, fleiss_pairs));
  }
  if (parts.empty()) return std::nullopt;
  return Finding{"kappa-counts", "Checked and consistent: the kappas come from whole counts",
                 whole == 2 * parts.size(),
                 fmt::format("{} of {} whole; Cohen/Fleiss chance pairs: {}", whole,
                             2 * parts.size(), fmt::join(parts, ", "))};
}

}  // namespace plumb::gap
