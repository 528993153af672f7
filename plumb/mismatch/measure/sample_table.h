// Samples (rlhf/samples.h) as columns of numbers, sorted by step and prompt: what a measurement
// reads, in some 70 bytes a sample whatever the length of the texts.
//
//   PLUMB_TRY(table, read_sample_table("run", {}));
//   for (const SampleGroup& group : table.groups) mean_of(table.gold, group);
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/hash.h"
#include "plumb/base/progress.h"
#include "plumb/base/result.h"
#include "plumb/rlhf/reward/reward.h"
#include "plumb/rlhf/samples.h"

namespace plumb::mismatch {

// The samples of one prompt at one step: rows begin .. end - 1.
struct SampleGroup {
  std::uint32_t step, prompt;  // places in SampleTable::steps and ::prompts
  std::size_t begin, end;
};

struct SampleTable {
  std::string file;    // "" where the samples came from elsewhere
  std::string sha256;  // of all that was read of the samples, in their order
  // Of step, prompt, completion, proxy and log-probability, whatever the samples' order.
  std::string contents;
  std::vector<std::string> prompts;  // by first occurrence
  std::vector<std::size_t> steps;    // ascending
  std::vector<SampleGroup> groups;   // by step, then by prompt
  std::vector<std::size_t> repeats;  // [steps] samples whose five are those of an earlier one
  // [samples]; NaN: not measured. k1: log-probability less the reference's, whose mean is the KL.
  std::vector<double> proxy, gold, kl, k1, tokens, ended;
  std::vector<std::vector<float>> extras;  // [extras, samples], what TableOptions::describe found

  std::size_t samples() const { return proxy.size(); }
  // The groups of a step, or none.
  std::span<const SampleGroup> at_step(std::size_t place) const;
};

// The mean of what was measured in rows begin .. end - 1, exact of equal values; NaN: nothing was.
double measured_mean(std::span<const double> column, std::size_t begin, std::size_t end);
bool any_measured(std::span<const double> column);

// Takes samples one by one, in any order, and keeps their numbers.
class SampleTableBuilder {
 public:
  SampleTableBuilder();
  SampleTableBuilder(SampleTableBuilder&&) noexcept;
  SampleTableBuilder& operator=(SampleTableBuilder&&) noexcept;
  ~SampleTableBuilder();

  // extras: as many numbers for every sample, to be kept beside it.
  void add(const rlhf::Sample& sample, std::span<const float> extras = {});
  SampleTable finish();  // of all that was added; the builder is empty afterwards

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct TableOptions {
  rlhf::SampleFields fields = {};
  // Score the completions anew, in place of what the file holds.
  rlhf::Reward* proxy_by = nullptr;
  rlhf::Reward* gold_by = nullptr;
  int threads = 0;
  Progress progress = {};
  // Numbers that are taken from each sample's texts while they are at hand: fills [extras].
  std::size_t extras = 0;
  std::function<void(const rlhf::Sample& sample, std::span<float> numbers)> describe = {};
};

// Gives the samples the scores of the rewards that the options name.
Result<void> score_anew(std::vector<rlhf::Sample>& samples, const TableOptions& options);

// Of a run folder or a file of samples, in constant memory but for the numbers. Errors: those of
// SampleReader, with file and line; of the rewards; kBadInput where there is no sample.
Result<SampleTable> read_sample_table(const std::filesystem::path& run,
                                      const TableOptions& options);

}  // namespace plumb::mismatch
