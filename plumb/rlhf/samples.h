// Completions that were drawn from a policy and measured: the record that every measure of a
// mismatch reads. plumb's own runs write it (samples.jsonl of a run folder); runs of other trainers
// come in the same form.
//
//   {"step":0,"prompt":"Once","completion":" upon a time","tokens":4,"ended":true,"proxy":0.2,
//    "gold":0.1,"kl":0,"log_probability":-5.1,"reference_log_probability":-5.1}
//
// Needed are step, prompt and completion; of the rest what a measure needs: it says what is
// missing. "prompt" and "completion" are texts, or lists of messages as chat models take them.
//
// Tables (CSV, TSV) and JSON lines of other trainers are read too, plain or gzip, by the names that
// they give the fields.
//
//   PLUMB_TRY(samples, read_samples("run/samples.jsonl"));           // all of them
//   PLUMB_TRY(reader, SampleReader::open("trl.jsonl", {.names = {{"proxy", "reward"}}}));
//   PLUMB_TRY(sample, reader.next());                                // one by one
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/progress.h"
#include "plumb/base/result.h"
#include "plumb/text/records.h"

namespace plumb::rlhf {

struct Sample {
  std::size_t step = 0;  // updates of the policy before it was drawn; 0: the starting policy
  std::string prompt, completion;
  std::optional<std::size_t> tokens = {};  // of the completion, its end among them
  std::optional<bool> ended = {};          // by itself, not by a limit
  std::optional<double> proxy = {}, gold = {};
  // Nats, sums over the tokens of the completion: the exact divergence from the reference along
  // it, and the log-probabilities of what was drawn under both.
  std::optional<double> kl = {}, log_probability = {}, reference_log_probability = {};

  bool operator==(const Sample&) const = default;
};

Json sample_json(const Sample& sample);

// What a file calls the fields of a record.
struct SampleFields {
  // By the name that plumb uses: {"proxy", "reward"}. Fields that do not stand here have plumb's.
  std::map<std::string, std::string> names = {};
  std::optional<std::size_t> step = {};  // of all lines, in a file without steps
  std::string format = {};               // "csv", "tsv", "jsonl"; "": by the file's ending

  std::string of(const std::string& field) const;
};

// Of a run folder its samples.jsonl; of a file itself.
std::filesystem::path samples_file(const std::filesystem::path& run);

class SampleReader {
 public:
  static Result<SampleReader> open(const std::filesystem::path& file, SampleFields fields = {});

  // The next sample; nothing at the end. kBadInput with file and line: no JSON object, a needed
  // field missing, a field of another type, a number that is not finite, a negative kl, a
  // log-probability above 0. Numbers may be null or an empty cell: not measured.
  Result<std::optional<Sample>> next();

  const LineReader& lines() const { return records_.lines(); }

 private:
  SampleReader(RecordReader records, SampleFields fields)
      : records_(std::move(records)), fields_(std::move(fields)) {}

  RecordReader records_;
  SampleFields fields_;
};

// All that SampleReader reads, and its errors; kBadInput also where there is no sample at all.
Result<std::vector<Sample>> read_samples(const std::filesystem::path& file,
                                         const Progress& progress = {});

}  // namespace plumb::rlhf
