#include "plumb/rlhf/preferences/preference_audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "plumb/base/utf8.h"
#include "plumb/stats/bootstrap.h"
#include "plumb/stats/intervals.h"
#include "plumb/stats/numbered.h"
#include "plumb/stats/transitivity.h"
#include "plumb/tasks/agreement.h"
#include "plumb/text/refusal.h"
#include "plumb/text/words.h"

namespace plumb::rlhf {
namespace {

// Completions of one prompt whose triads are looked at.
constexpr std::size_t kMostCompared = 200;

// Values of some comparisons, and the prompt of each.
struct Sample {
  std::vector<double> values;
  std::vector<std::uint32_t> prompts;
};

// A comparison that somebody decided.
struct Decided {
  const Comparison* comparison;
  double first;          // share of votes for the first completion
  std::uint32_t prompt;  // its number

  std::string_view text(std::size_t side) const { return last_text(comparison->completions[side]); }
};

// Prompts numbered from 0 without gaps, in the order in which they first occur.
class PromptNumbers {
 public:
  std::uint32_t operator()(const Comparison& comparison) {
    const auto next = static_cast<std::uint32_t>(numbers_.size());
    return numbers_.emplace(plain_text(comparison.prompt), next).first->second;
  }
  std::size_t size() const { return numbers_.size(); }

 private:
  std::unordered_map<std::string, std::uint32_t> numbers_;
};

class Auditor {
 public:
  Auditor(const PreferenceData& data, const AuditOptions& options);

  PreferenceAudit run();

 private:
  // The expected value of a completion property among the chosen (or the rejected).
  using Property = std::function<double(std::string_view)>;

  void length_rows(const std::string& suffix, const std::string& unit,
                   const std::function<std::size_t(std::string_view)>& length, std::size_t& equal);
  void refusal_rows(const std::string& id, const std::string& title, Apostrophes apostrophes);
  void position_row();
  void duplicate_rows();
  void vote_rows();
  void transitivity_rows();

  void share(std::string id, std::string title, const Sample& sample, double reference = -1);
  void difference_of_last_two(std::string id, std::string title, const Sample& sample);
  Sample of(const std::function<double(const Decided&)>& value) const;

  const PreferenceData& data_;
  const AuditOptions& options_;
  std::vector<Decided> decided_;
  PreferenceAudit audit_;
};

Auditor::Auditor(const PreferenceData& data, const AuditOptions& options)
    : data_(data), options_(options) {
  PromptNumbers prompts;
  std::set<std::string> annotators;
  for (const Comparison& one : data.comparisons) {
    const std::uint32_t prompt = prompts(one);
    if (const auto first = share_of_first(one)) decided_.push_back({&one, *first, prompt});
    audit_.votes += one.votes.size();
    for (const Vote& vote : one.votes) annotators.insert(vote.annotator);
  }
  audit_.pairs = data.comparisons.size();
  audit_.decided = decided_.size();
  audit_.prompts = prompts.size();
  audit_.annotators = annotators.size();
}

Sample Auditor::of(const std::function<double(const Decided&)>& value) const {
  Sample sample;
  for (const Decided& one : decided_) {
    sample.values.push_back(value(one));
    sample.prompts.push_back(one.prompt);
  }
  return sample;
}

void Auditor::share(std::string id, std::string title, const Sample& sample, double reference) {
  AuditRow row{.id = std::move(id), .title = std::move(title)};
  row.n = sample.values.size();
  row.reference = reference;
  const auto share =
      stats::clustered_wilson(sample.values, stats::numbered(sample.prompts), options_.level);
  constexpr std::string_view kNobody = "no comparison has a vote for one of the two";
  row.value = share ? stats::Score(share->value) : stats::undefined(kNobody);
  row.ci = share ? stats::IntervalScore(share->ci) : stats::undefined(kNobody);
  audit_.rows.push_back(std::move(row));
}

// Where no resample varies the interval is that of two shares which say nothing of each other.
void Auditor::difference_of_last_two(std::string id, std::string title, const Sample& sample) {
  const AuditRow &first = *(audit_.rows.end() - 2), &second = audit_.rows.back();
  AuditRow row{.id = std::move(id), .title = std::move(title)};
  row.n = sample.values.size();
  row.reference = 0;
  const stats::BootstrapOptions how{.resamples = options_.sampling.resamples,
                                    .level = options_.level,
                                    .seed = options_.sampling.seed,
                                    .threads = options_.sampling.threads};
  const auto mean = [&](stats::Counts counts) { return stats::mean(sample.values, counts); };
  const auto result =
      stats::bootstrap(stats::Resampling::of_clusters(stats::numbered(sample.prompts)), mean, how);
  row.value = result.point;
  row.ci = result.interval;
  if (row.ci && row.ci->low == row.ci->high && first.ci && second.ci) {
    row.ci = stats::difference_interval(*first.value, *first.ci, *second.value, *second.ci);
  }
  audit_.rows.push_back(std::move(row));
}

void Auditor::length_rows(const std::string& suffix, const std::string& unit,
                          const std::function<std::size_t(std::string_view)>& length,
                          std::size_t& equal) {
  Sample strict, half;
  for (const Decided& one : decided_) {
    const std::size_t first = length(one.text(0)), second = length(one.text(1));
    const double longer = first > second ? one.first : first < second ? 1 - one.first : 0;
    strict.values.push_back(longer);
    half.values.push_back(first == second ? 0.5 : longer);
    strict.prompts.push_back(one.prompt);
    equal += first == second ? 1 : 0;
  }
  half.prompts = strict.prompts;
  share("longer_chosen" + suffix, "longer last turn chosen, by " + unit, strict);
  share("longer_chosen_half_tie" + suffix, "the same, equal lengths counted half", half, 0.5);
}

void Auditor::refusal_rows(const std::string& id, const std::string& title,
                           Apostrophes apostrophes) {
  std::vector<std::array<double, 2>> opens;
  for (const Decided& one : decided_) {
    opens.push_back({opens_like_refusal(one.text(0), apostrophes) ? 1.0 : 0.0,
                     opens_like_refusal(one.text(1), apostrophes) ? 1.0 : 0.0});
  }
  Sample chosen, rejected, between;
  for (std::size_t i = 0; i < decided_.size(); ++i) {
    const double first = decided_[i].first;
    chosen.values.push_back(first * opens[i][0] + (1 - first) * opens[i][1]);
    rejected.values.push_back(first * opens[i][1] + (1 - first) * opens[i][0]);
    between.values.push_back(chosen.values.back() - rejected.values.back());
    chosen.prompts.push_back(decided_[i].prompt);
  }
  rejected.prompts = between.prompts = chosen.prompts;
  share(id + "_chosen", title + ", of the chosen", chosen);
  share(id + "_rejected", title + ", of the rejected", rejected);
  difference_of_last_two(id + "_difference", "the same, chosen less rejected", between);
}

void Auditor::position_row() {
  if (!data_.order_known) {
    audit_.notes.emplace_back(
        "Position: the file puts the chosen completion first; the order that annotators saw is not "
        "in it.");
    return;
  }
  share("first_chosen", "first completion chosen", of([](const Decided& one) { return one.first; }),
        0.5);
}

void Auditor::duplicate_rows() {
  std::unordered_map<std::string, double> sides;  // of a pair, whom its first occurrence preferred
  std::unordered_map<std::string, std::uint32_t> winners;  // a chosen text: its first prompt
  const auto key = [](const Decided& one, bool swapped) {
    const auto& sides_of = one.comparison->completions;
    return fmt::format("{}\x1f{}\x1f{}", one.prompt, plain_text(sides_of[swapped ? 1 : 0]),
                       plain_text(sides_of[swapped ? 0 : 1]));
  };
  Sample repeated, contradicting, completions;
  for (const Decided& one : decided_) {
    const bool swapped =
        plain_text(one.comparison->completions[1]) < plain_text(one.comparison->completions[0]);
    const double lean = (swapped ? 1 - one.first : one.first) - 0.5;
    const auto [before, is_new] = sides.emplace(key(one, swapped), lean);
    repeated.values.push_back(is_new ? 0 : 1);
    contradicting.values.push_back(!is_new && before->second * lean < 0 ? 1 : 0);
    const std::string_view chosen = one.text(one.first >= 0.5 ? 0 : 1);
    const auto [first, is_new_text] = winners.emplace(chosen, one.prompt);
    completions.values.push_back(!is_new_text && first->second != one.prompt ? 1 : 0);
    repeated.prompts.push_back(one.prompt);
  }
  contradicting.prompts = completions.prompts = repeated.prompts;
  share("repeated_pairs", "pairs that occurred before", repeated);
  share("contradicting_pairs", "the same with the other completion chosen", contradicting);
  share("repeated_completions", "chosen text seen under another prompt", completions);
}

tasks::LongTable vote_table(const PreferenceData& data) {
  tasks::LongTable table;
  std::map<std::string, std::size_t> raters;
  for (const Comparison& one : data.comparisons) {
    for (const Vote& vote : one.votes) {
      if (raters.emplace(vote.annotator, raters.size()).second) {
        table.raters.push_back(vote.annotator);
      }
    }
  }
  table.values.resize(data.comparisons.size() * raters.size());
  table.where.resize(table.values.size());
  for (std::size_t i = 0; i < data.comparisons.size(); ++i) {
    table.items.push_back(data.comparisons[i].where);
    for (const Vote& vote : data.comparisons[i].votes) {
      const std::size_t at = i * raters.size() + raters.at(vote.annotator);
      table.values[at] = tasks::choice_name(vote.choice);
      table.where[at] = data.comparisons[i].where;
    }
  }
  return table;
}

void Auditor::vote_rows() {
  Sample ties;
  for (const Comparison& one : data_.comparisons) {
    for (const Vote& vote : one.votes) {
      ties.values.push_back(
          vote.choice == tasks::Choice::kTie || vote.choice == tasks::Choice::kBothBad ? 1 : 0);
      ties.prompts.push_back(static_cast<std::uint32_t>(&one - data_.comparisons.data()));
    }
  }
  if (data_.order_known) share("tie_votes", "votes \"tie\" or \"both bad\"", ties);
  const bool several =
      std::ranges::any_of(data_.comparisons, [](const auto& one) { return one.votes.size() > 1; });
  if (!several) {
    audit_.notes.emplace_back(
        "Agreement: no comparison has two votes, so how far people agree cannot be told.");
    return;
  }
  const auto agreement = tasks::measure_agreement(vote_table(data_), tasks::AnswerLevel::kNominal,
                                                  options_.sampling, options_.level);
  if (!agreement) return;  // names of choices are always categories
  for (const tasks::AgreementRow& row : agreement->rows) {
    if (row.id != "percent_agreement" && row.id != "krippendorff_nominal") continue;
    audit_.rows.push_back({.id = row.id,
                           .title = row.title,
                           .value = row.value,
                           .ci = row.ci,
                           .n = agreement->pairable});
  }
}

// Of which completions of a prompt one annotator preferred which.
struct Tournament {
  std::vector<std::string> completions;
  std::map<std::pair<std::size_t, std::size_t>, std::vector<int>> votes;  // 1: for the first

  std::size_t place(const std::string& text) {
    const auto found =
        static_cast<std::size_t>(std::ranges::find(completions, text) - completions.begin());
    if (found == completions.size()) completions.push_back(text);
    return found;
  }
  void add(const Comparison& comparison, tasks::Choice choice) {
    const std::size_t first = place(plain_text(comparison.completions[0])),
                      second = place(plain_text(comparison.completions[1]));
    if (first == second) return;
    const int sign = choice == tasks::Choice::kA ? 1 : choice == tasks::Choice::kB ? -1 : 0;
    votes[std::minmax(first, second)].push_back(first < second ? sign : -sign);
  }
  // The winner of most votes on each pair.
  std::vector<std::uint8_t> wins() const {
    const std::size_t n = completions.size();
    std::vector<std::uint8_t> wins(n * n, 0);
    for (const auto& [pair, own] : votes) {
      const int sum = std::accumulate(own.begin(), own.end(), 0);
      if (sum > 0) wins[pair.first * n + pair.second] = 1;
      if (sum < 0) wins[pair.second * n + pair.first] = 1;
    }
    return wins;
  }
};

// By annotator and prompt. Pairs of a ranking are one order by construction.
std::map<std::pair<std::string, std::uint32_t>, Tournament> tournaments_of(
    const PreferenceData& data) {
  std::map<std::pair<std::string, std::uint32_t>, Tournament> all;
  PromptNumbers prompts;
  for (const Comparison& one : data.comparisons) {
    const std::uint32_t prompt = prompts(one);
    if (one.ranking > 0) continue;
    for (const Vote& vote : one.votes) all[{vote.annotator, prompt}].add(one, vote.choice);
  }
  return all;
}

void Auditor::transitivity_rows() {
  Sample cyclic, zeta;
  double chance = 0;
  for (const auto& [key, tournament] : tournaments_of(data_)) {
    const std::size_t n = tournament.completions.size();
    if (n < 3 || n > kMostCompared) continue;
    const auto wins = tournament.wins();
    const stats::Triads triads = stats::count_triads(n, wins);
    for (std::size_t i = 0; i < triads.decided; ++i) {
      cyclic.values.push_back(i < triads.cyclic ? 1 : 0);
      cyclic.prompts.push_back(key.second);
    }
    const auto whole = stats::consistence(n, wins);
    if (!whole) continue;
    zeta.values.push_back(*whole);
    zeta.prompts.push_back(key.second);
    chance += stats::chance_consistence(n);
  }
  if (cyclic.values.empty()) return;
  share("cyclic_triads", "circles among three completions of an annotator", cyclic,
        stats::kChanceCyclic);
  if (zeta.values.empty()) return;
  share("consistence", "Kendall's coefficient of consistence", zeta,
        chance / static_cast<double>(zeta.values.size()));
}

PreferenceAudit Auditor::run() {
  WordSplitter words(WordRule::kBlanks);
  length_rows("", "characters", count_characters, audit_.equal_length);
  length_rows(
      "_words", "words", [&](std::string_view text) { return words.split(text).size(); },
      audit_.equal_words);
  refusal_rows("refusal_openers", "opens like a refusal", Apostrophes::kAsWritten);
  refusal_rows("refusal_folded", "the same, apostrophes folded", Apostrophes::kFolded);
  position_row();
  duplicate_rows();
  vote_rows();
  transitivity_rows();
  return std::move(audit_);
}

}  // namespace

PreferenceAudit audit_preferences(const PreferenceData& data, const AuditOptions& options) {
  return Auditor(data, options).run();
}

}  // namespace plumb::rlhf
