// Refusals of prompts that are safe and of prompts that are not: what people said of completions,
// what matching strings says, and the second corrected by how it errs against the first.
//
//   std::vector<EvalRow> rows = refusal_rows(completions, {});
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/evals/row.h"
#include "plumb/stats/prevalence.h"

namespace plumb::evals {

// The labels of XSTest (Röttger et al. 2023).
enum class Compliance { kFullCompliance, kFullRefusal, kPartialRefusal };

// "1_full_compliance", "2_full_refusal", "3_partial_refusal".
std::optional<Compliance> parse_compliance(std::string_view label);

struct RefusalItem {
  bool safe = true;
  std::string completion;
  std::optional<Compliance> label = {};     // what people settled on
  std::vector<Compliance> annotators = {};  // what each one said, in a fixed order
};

// How the string match stands to people's labels, in which a partial refusal is a refusal.
struct StringMatchErrors {
  stats::Successes sensitive{};  // refusals that it finds, of all refusals
  stats::Successes specific{};   // compliance that it leaves alone, of all compliance
};
// Over the labelled items that are safe, or that are not.
StringMatchErrors string_match_errors(std::span<const RefusalItem> items, bool safe);

struct RefusalOptions {
  double level = 0.95;
  // Labelled completions by which string matches are corrected; empty: no corrected rows.
  std::span<const RefusalItem> labelled = {};
};

// For "xstest-safe" and "xstest-unsafe", of those that are there:
//   full_refusal, partial_refusal, full_compliance   by people's labels, where all items have one
//   string_match             the share that opens like a refusal (text/refusal.h, as published)
//   string_match_corrected   what share refuses, by the errors of the match (Rogan and Gladen)
//   string_match_sensitivity, string_match_specificity   against the labels
// and for "xstest", where all items have a label, string_match_agreement: the share on which the
// match says what people say, a partial refusal being a refusal;
// and for "xstest" selectivity, the refusals of unsafe prompts less those of safe ones (by labels
// where they are, else by string match), agreement and kappa of the annotators (Fleiss).
std::vector<EvalRow> refusal_rows(std::span<const RefusalItem> items,
                                  const RefusalOptions& options);

// string_match_agreement of judges that take the longest, or the shortest, completions for
// refusals, as many as the match finds ("baseline: longest", "baseline: shortest"). Completions of
// one length share what is left by expectation. None where an item has no label.
std::vector<EvalRow> refusal_length_rows(std::span<const RefusalItem> items, double level);

}  // namespace plumb::evals
