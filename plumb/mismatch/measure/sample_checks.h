// What is odd about samples, before anything is made of them: what some have and others lack, what
// is there more than once, and log-probabilities that cannot be what they are called. Who uses it:
// every measure of a run.
//
//   for (const MissingField& one : missing_fields(table, 0)) one.field, one.missing, one.steps;
//   for (const std::string& sentence : sample_warnings(table, 0)) ...
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/mismatch/measure/sample_table.h"

namespace plumb::mismatch {

// Means over what is left when a step lacks more than this share of its samples answer no question:
// what is missing is seldom missing by chance (a judge that fails on bad answers).
inline constexpr double kMostMissing = 0.05;
inline constexpr std::string_view kTooMuchMissing =
    "more than 5 % of the samples of a step lack it";

struct MissingStep {
  std::size_t step, missing, samples;

  double share() const { return static_cast<double>(missing) / static_cast<double>(samples); }
};

// A number that some samples have and others lack. Steps at which none has it, and prompts of which
// none has, were not measured: they bias nothing and are counted apart.
struct MissingField {
  std::string_view field;                        // "gold"; "log_probability" for either of the two
  std::size_t missing = 0, samples = 0;          // of the steps and prompts that were measured
  std::size_t steps = 0, prompts = 0;            // all of them
  std::size_t bare_steps = 0, bare_prompts = 0;  // that were not measured
  std::vector<MissingStep> lacking = {};         // ascending

  bool too_much() const;  // proxy or gold, at some step
};

// Of the samples from step `start` on; fields that all samples have, or none, are not among them.
std::vector<MissingField> missing_fields(const SampleTable& table, std::size_t start);

// Whether `field` is missing too often at one of the steps first .. last.
bool too_much_missing(std::span<const MissingField> missing, std::string_view field,
                      std::size_t first, std::size_t last);

// Sentences: a field, its samples, where, and what that means.
std::vector<std::string> missing_sentences(std::span<const MissingField> missing);

// Steps at which more than 5 % of the samples repeat an earlier one; "": none.
std::string repeats_sentence(const SampleTable& table, std::size_t start);

// Whether exact and sampled divergence agree: checkpoints at which the mean of k1 lies more than
// four standard errors, over prompts, from the mean exact KL; and those at which it lies as far
// below 0, as it does where the two log-probabilities are swapped. Sentences; none: nothing to say.
std::vector<std::string> check_divergence(const SampleTable& table);

// The last two.
std::vector<std::string> sample_warnings(const SampleTable& table, std::size_t start);

}  // namespace plumb::mismatch
