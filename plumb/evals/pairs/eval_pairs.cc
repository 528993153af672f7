#include "plumb/evals/pairs/eval_pairs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "plumb/base/random.h"
#include "plumb/base/utf8.h"
#include "plumb/evals/scoring/intervals.h"
#include "plumb/text/trimmed.h"

namespace plumb::evals {
namespace {

struct Answer {
  std::string text, model;
};

// Distinct answers to one prompt.
struct Sides {
  std::string eval, prompt;
  std::vector<Answer> right, wrong;
};

void add_distinct(std::vector<Answer>& texts, const std::string& text, const std::string& model) {
  if (std::ranges::find(texts, text, &Answer::text) == texts.end()) texts.push_back({text, model});
}

PairCounts& counts_of(EvalPairs& pairs, const std::string& eval) {
  const auto found = std::ranges::find(pairs.counts, eval, &PairCounts::eval);
  if (found != pairs.counts.end()) return *found;
  pairs.counts.push_back({.eval = eval});
  return pairs.counts.back();
}

// Prompts in the order in which they first occur.
std::vector<Sides> sides_of(std::span<const GradedAnswer> answers, EvalPairs& pairs) {
  std::vector<Sides> all;
  std::map<std::pair<std::string, std::string>, std::size_t> places;
  for (const GradedAnswer& answer : answers) {
    const std::pair key(answer.eval, std::string(trimmed(answer.prompt)));
    const auto [place, is_new] = places.emplace(key, all.size());
    if (is_new) all.push_back({answer.eval, key.second, {}, {}});
    PairCounts& counts = counts_of(pairs, answer.eval);
    counts.answers += 1;
    counts.neither += answer.right ? 0 : 1;
    counts.right += answer.right.value_or(false) ? 1 : 0;
    if (!answer.right) continue;
    Sides& sides = all[place->second];
    add_distinct(*answer.right ? sides.right : sides.wrong, answer.text, answer.model);
  }
  return all;
}

void add_pairs(const Sides& sides, std::size_t number, const PairingOptions& options,
               EvalPairs& pairs) {
  std::vector<EvalPair> own;
  for (const Answer& right : sides.right) {
    for (const Answer& wrong : sides.wrong) {
      if (right.text == wrong.text) continue;
      own.push_back({sides.eval, sides.prompt, right.text, wrong.text, right.model, wrong.model});
    }
  }
  if (options.per_prompt > 0 && own.size() > options.per_prompt) {
    Stream stream(options.seed, "eval pairs", number);
    shuffle(std::span(own), stream);
    own.resize(options.per_prompt);
  }
  PairCounts& counts = counts_of(pairs, sides.eval);
  counts.prompts += 1;
  counts.pairs += own.size();
  counts.both += own.empty() ? 0 : 1;
  counts.only_right += !sides.right.empty() && sides.wrong.empty() ? 1 : 0;
  counts.only_wrong += sides.right.empty() && !sides.wrong.empty() ? 1 : 0;
  std::ranges::move(own, std::back_inserter(pairs.all));
}

std::string one_class(const PairCounts& counts) {
  return fmt::format(
      "{}: no prompt has a right and a wrong answer ({} have right ones alone, {} "
      "wrong ones alone)",
      counts.eval, counts.only_right, counts.only_wrong);
}

// Drops pairs of two models in which the one is right more often than the other is, until neither
// is.
void balance(EvalPairs& pairs, std::uint64_t seed) {
  std::vector<std::size_t> order(pairs.all.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  Stream stream(seed, "balanced pairs", 0);
  shuffle(std::span(order), stream);
  using Direction = std::array<std::string, 3>;
  std::map<Direction, std::size_t> there, kept;
  for (const EvalPair& one : pairs.all) there[{one.eval, one.chosen_model, one.rejected_model}]++;
  std::vector<bool> keeps(pairs.all.size());
  for (const std::size_t place : order) {
    const EvalPair& one = pairs.all[place];
    const Direction own = {one.eval, one.chosen_model, one.rejected_model};
    const Direction other = {one.eval, one.rejected_model, one.chosen_model};
    const auto most = there.find(other);
    keeps[place] = most != there.end() && kept[own] < most->second;
    kept[own] += keeps[place] ? 1 : 0;
    counts_of(pairs, one.eval).unbalanced += keeps[place] ? 0 : 1;
  }
  std::vector<EvalPair> left;
  for (std::size_t i = 0; i < keeps.size(); ++i) {
    if (keeps[i]) left.push_back(std::move(pairs.all[i]));
  }
  pairs.all = std::move(left);
  for (PairCounts& counts : pairs.counts) counts.pairs -= counts.unbalanced;
}

Json message(const char* role, const std::string& text) {
  return Json::array({{{"role", role}, {"content", text}}});
}

// A trivial judge: how far it is for the right answer, above 0, or for the wrong one.
using Judge = std::function<double(const EvalPair&)>;

EvalRow judged_row(const EvalPairs& pairs, const std::string& eval, const char* name,
                   const Judge& judge, double level) {
  std::vector<double> values;
  std::vector<std::uint32_t> clusters;
  std::unordered_map<std::string_view, std::uint32_t> prompts;
  for (const EvalPair& pair : pairs.all) {
    if (pair.eval != eval) continue;
    const double lead = judge(pair);
    values.push_back(lead == 0 ? 0.5 : lead > 0 ? 1 : 0);
    clusters.push_back(
        prompts.emplace(pair.prompt, static_cast<std::uint32_t>(prompts.size())).first->second);
  }
  EvalRow row = share_row({eval, "pairs_ordered"}, values, clusters, choice_scale(0.5), level);
  row.note = std::string("baseline: ") + name;
  return row;
}

double longer_by(const EvalPair& pair) {
  return static_cast<double>(count_characters(pair.chosen)) -
         static_cast<double>(count_characters(pair.rejected));
}

// Of each model the share of its pairs in which it is right; empty where fewer than two are told.
std::map<std::string, double> right_shares(const EvalPairs& pairs, const std::string& eval) {
  std::map<std::string, std::array<double, 2>> counts;
  for (const EvalPair& pair : pairs.all) {
    if (pair.eval != eval) continue;
    if (pair.chosen_model.empty() || pair.rejected_model.empty()) return {};
    counts[pair.chosen_model][0] += 1;
    counts[pair.rejected_model][1] += 1;
  }
  std::map<std::string, double> shares;
  for (const auto& [model, own] : counts) shares[model] = own[0] / (own[0] + own[1]);
  return shares.size() < 2 ? std::map<std::string, double>() : shares;
}

}  // namespace

Result<EvalPairs> pair_answers(std::span<const GradedAnswer> answers,
                               const PairingOptions& options) {
  EvalPairs pairs;
  const std::vector<Sides> all = sides_of(answers, pairs);
  for (std::size_t i = 0; i < all.size(); ++i) add_pairs(all[i], i, options, pairs);
  const bool any = !pairs.all.empty();
  if (options.balanced) balance(pairs, options.seed);
  if (!pairs.all.empty()) return pairs;
  if (any) {
    return fail(ErrorKind::kBadInput,
                "no two models are each right where the other is wrong: there is nothing to "
                "balance");
  }
  std::vector<std::string> reasons;
  for (const PairCounts& counts : pairs.counts) reasons.push_back(one_class(counts));
  return fail(ErrorKind::kBadInput,
              fmt::format("{}; give outputs of several models, or several of one",
                          reasons.empty() ? "there are no answers"
                                          : fmt::format("{}", fmt::join(reasons, "; "))));
}

Result<EvalPairs> pair_choices(const Suite& suite, const PairingOptions& options) {
  if (suite.choices.empty()) {
    const std::string_view id = suite.kind->id;
    const bool graded = id == "gsm8k" || id == "xstest";
    return fail(ErrorKind::kUsage,
                fmt::format("{} has no choices: {}", id,
                            graded ? "its pairs are made of --outputs"
                                   : "pairs are made of outputs to gsm8k and xstest, and of the "
                                     "choices of arithmetic, cloze and mmlu"));
  }
  EvalPairs pairs{.turns = false, .all = {}, .counts = {}};
  for (std::size_t i = 0; i < suite.choices.size(); ++i) {
    const ChoicePrompt& one = suite.choices[i];
    Sides sides{std::string(suite.kind->id), one.context, {}, {}};
    for (std::size_t c = 0; c < one.item.choices.size(); ++c) {
      (c == one.item.gold ? sides.right : sides.wrong).push_back({" " + one.item.choices[c], ""});
    }
    PairCounts& counts = counts_of(pairs, sides.eval);
    counts.answers += one.item.choices.size();
    counts.right += 1;
    add_pairs(sides, i, options, pairs);
  }
  return pairs;
}

Json pair_json(const EvalPairs& pairs, const EvalPair& pair) {
  if (!pairs.turns) {
    return {{"eval", pair.eval},
            {"prompt", pair.prompt},
            {"chosen", pair.chosen},
            {"rejected", pair.rejected}};
  }
  Json json = {{"eval", pair.eval},
               {"prompt", message("user", pair.prompt)},
               {"chosen", message("assistant", pair.chosen)},
               {"rejected", message("assistant", pair.rejected)}};
  if (!pair.chosen_model.empty()) json["chosen_model"] = pair.chosen_model;
  if (!pair.rejected_model.empty()) json["rejected_model"] = pair.rejected_model;
  return json;
}

std::vector<EvalRow> pair_baselines(const EvalPairs& pairs, double level) {
  std::vector<EvalRow> rows;
  for (const PairCounts& counts : pairs.counts) {
    const auto add = [&](const char* name, const Judge& judge) {
      rows.push_back(judged_row(pairs, counts.eval, name, judge, level));
    };
    add("longest", longer_by);
    add("shortest", [](const EvalPair& pair) { return -longer_by(pair); });
    const auto shares = right_shares(pairs, counts.eval);
    if (shares.empty()) continue;
    add("model", [&shares](const EvalPair& pair) {
      return shares.at(pair.chosen_model) - shares.at(pair.rejected_model);
    });
  }
  return rows;
}

std::vector<std::string> pair_notes(const EvalPairs& pairs) {
  std::vector<std::string> notes;
  for (const PairCounts& counts : pairs.counts) {
    std::string note = fmt::format(
        "{}: {} answers ({} right) to {} prompts, of which {} have a right and a wrong one, {} "
        "right ones alone, {} wrong ones alone: {} pairs.",
        counts.eval, counts.answers, counts.right, counts.prompts, counts.both, counts.only_right,
        counts.only_wrong, counts.pairs);
    if (counts.neither > 0) {
      note += fmt::format(" {} answers are neither and are left out.", counts.neither);
    }
    if (counts.unbalanced > 0) {
      note += fmt::format(" {} more are left out, so that who wrote an answer says nothing.",
                          counts.unbalanced);
    }
    notes.push_back(std::move(note));
  }
  return notes;
}

}  // namespace plumb::evals
