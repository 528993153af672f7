#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "plumb/base/number.h"
#include "plumb/evals/imports/entries.h"
#include "plumb/evals/imports/lm_eval.h"
#include "plumb/evals/imports/lm_eval_metrics.h"
#include "plumb/evals/scoring/choice.h"
#include "plumb/evals/scoring/intervals.h"

namespace plumb::evals {
namespace {

// What the harness itself writes on a line, beside the metrics.
constexpr std::array<std::string_view, 15> kOwnFields = {
    "doc_id",         "doc",    "target",   "arguments",   "resps",
    "filtered_resps", "filter", "doc_hash", "prompt_hash", "target_hash",
    "metrics",        "task",   "schema",   "repeats",     "idx"};
// What the harness computes of a multiple choice without a rule of the task's own
// (ConfigurableTask.process_results).
constexpr std::array<std::string_view, 13> kChoiceMetrics = {"acc",
                                                             "acc_norm",
                                                             "acc_bytes",
                                                             "acc_mutual_info",
                                                             "exact_match",
                                                             "f1",
                                                             "mcc",
                                                             "bpb",
                                                             "logprob",
                                                             "choice_logprob",
                                                             "choice_prob_norm",
                                                             "brier_score",
                                                             "choice_logprob_norm"};

bool is_among(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// A line of samples, taken apart.
struct HarnessSample {
  const Record* record = nullptr;
  std::size_t document = 0;
  std::map<std::string, Json> metrics;
  std::optional<ChoiceItem> item;
  ChoiceScores scores;
};

// The continuation of each request: {"gen_args_0": {"arg_0": .., "arg_1": ..}}, or [[.., ..], ..].
std::vector<std::string> continuations(const Json& arguments) {
  std::vector<std::string> texts;
  const auto add = [&](const Json& text) {
    if (text.is_string()) texts.push_back(text.get<std::string>());
  };
  if (arguments.is_object()) {
    for (std::size_t i = 0; arguments.contains(fmt::format("gen_args_{}", i)); ++i) {
      add(arguments[fmt::format("gen_args_{}", i)].value("arg_1", Json()));
    }
  } else if (arguments.is_array()) {
    for (const Json& one : arguments) add(one.is_array() && one.size() > 1 ? one[1] : Json());
  }
  return texts;
}

// [choices] of {"filtered_resps": [["-3.2", "False"], ..]}; empty where they are something else.
std::vector<double> log_likelihoods(const Json& responses) {
  std::vector<double> values;
  if (!responses.is_array()) return {};
  for (const Json& one : responses) {
    const auto value = one.is_array() && one.size() == 2 ? number_of(one[0]) : std::nullopt;
    if (!value) return {};
    values.push_back(*value);
  }
  return values;
}

std::string without_delimiter(std::string text) {
  if (text.starts_with(' ')) text.erase(0, 1);
  return text;
}

// Moves the second half, the same choices after no context, to where it belongs.
bool split_unconditional(std::vector<std::string>& texts, ChoiceScores& scores) {
  const std::size_t choices = texts.size() / 2;
  const auto middle = static_cast<std::ptrdiff_t>(choices);
  if (texts.size() != 2 * choices ||
      !std::equal(texts.begin(), texts.begin() + middle, texts.begin() + middle)) {
    return false;
  }
  texts.resize(choices);
  auto& values = scores.log_likelihoods;
  scores.unconditional.assign(values.begin() + middle, values.end());
  values.resize(choices);
  return true;
}

void read_choices(const Record& record, HarnessSample& sample) {
  ChoiceScores scores{.log_likelihoods =
                          log_likelihoods(record.fields.value("filtered_resps", Json()))};
  auto texts = continuations(record.fields.value("arguments", Json()));
  const auto gold = number_of(record.fields.value("target", Json()));
  if (texts.size() != scores.log_likelihoods.size() || !gold) return;
  if (sample.metrics.contains("acc_mutual_info") && !split_unconditional(texts, scores)) return;
  if (texts.size() < 2 || *gold < 0 || *gold >= static_cast<double>(texts.size()) ||
      *gold != std::floor(*gold)) {
    return;
  }
  ChoiceItem item{{}, static_cast<std::size_t>(*gold)};
  for (std::string& text : texts) item.choices.push_back(without_delimiter(std::move(text)));
  sample.item = std::move(item);
  sample.scores = std::move(scores);
}

std::map<std::string, Json> stated_metrics(const Json& fields) {
  std::map<std::string, Json> metrics;
  const auto listed = fields.find("metrics");
  if (listed != fields.end() && listed->is_array()) {
    for (const Json& name : *listed) {
      if (!name.is_string()) continue;
      const auto found = fields.find(name.get_ref<const std::string&>());
      if (found != fields.end()) metrics[name.get<std::string>()] = *found;
    }
    return metrics;
  }
  for (const auto& [name, value] : fields.items()) {
    const bool text = value.is_string() && !number_of(value);
    if (!is_among(kOwnFields, name) && !text && !value.is_object()) metrics[name] = value;
  }
  return metrics;
}

Result<HarnessSample> read_sample(const Record& record) {
  HarnessSample sample;
  sample.record = &record;
  PLUMB_TRY(document, needed_number(record, "doc_id"));
  sample.document = static_cast<std::size_t>(document);
  sample.metrics = stated_metrics(record.fields);
  read_choices(record, sample);
  return sample;
}

// A number, or a truth as one.
std::optional<double> value_of(const Json& stated) {
  if (stated.is_boolean()) return stated.get<bool>() ? 1.0 : 0.0;
  const auto value = number_of(stated);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

bool is_truth(double value) { return value == 0 || value == 1; }

// The accuracies of a multiple choice, by their names in the harness.
std::optional<double> computed_accuracy(const HarnessSample& sample, std::string_view metric) {
  const ChoiceVerdict verdict = judge_choices(*sample.item, sample.scores);
  if (metric == "acc") return verdict.acc;
  if (metric == "acc_norm") return verdict.acc_norm;
  if (metric == "acc_bytes") return verdict.acc_bytes;
  return metric == "acc_mutual_info" ? verdict.acc_mutual_info : std::nullopt;
}

constexpr std::array<std::string_view, 4> kAccuracies = {"acc", "acc_norm", "acc_bytes",
                                                         "acc_mutual_info"};

// Whether a line can be the work of the harness' rule for multiple choices.
bool follows_choice_rule(const HarnessSample& sample) {
  if (!sample.item) return false;
  return std::ranges::all_of(sample.metrics, [](const auto& metric) {
    const auto value = value_of(metric.second);
    const bool accuracy = is_among(kAccuracies, metric.first);
    return is_among(kChoiceMetrics, metric.first) && (!accuracy || (value && is_truth(*value)));
  });
}

// Whether a stated accuracy is what the log-likelihoods give, as far as ties let one say.
bool agrees(const HarnessSample& sample, const std::string& metric) {
  const auto stated = sample.metrics.find(metric);
  if (stated == sample.metrics.end()) return true;
  const auto computed = computed_accuracy(sample, metric);
  return !computed || !is_truth(*computed) || computed == value_of(stated->second);
}

// A stated accuracy that the log-likelihoods contradict.
Result<void> check_accuracies(std::span<const HarnessSample> samples) {
  for (const HarnessSample& sample : samples) {
    for (const char* metric : {"acc", "acc_mutual_info"}) {
      if (agrees(sample, metric)) continue;
      return bad_record(
          *sample.record,
          fmt::format(
              "\"{}\" is {}, but by its log-likelihoods it is {}; a task with a rule of its "
              "own has its figure in results.json",
              metric, *value_of(sample.metrics.at(metric)), *computed_accuracy(sample, metric)));
    }
  }
  return {};
}

// The rows of the samples of one filter.
class FilterRows {
 public:
  FilterRows(std::string task, std::string filter, std::span<const HarnessSample> samples,
             double level)
      : task_(std::move(task)), filter_(std::move(filter)), samples_(samples), level_(level) {}

  Result<void> add_to(HarnessSamples& read) const {
    std::set<std::string> computed;
    if (std::ranges::all_of(samples_, follows_choice_rule)) {
      PLUMB_TRY(rows, choices());
      for (EvalRow& row : rows) {
        computed.insert(row.metric == "brier" ? "brier_score" : row.metric);
        row.metric = joined_metric(row.metric, filter_);
        read.rows.push_back(std::move(row));
      }
    }
    std::set<std::string> names;
    for (const HarnessSample& sample : samples_) {
      for (const auto& [name, value] : sample.metrics) names.insert(name);
    }
    for (const std::string& name : names) {
      if (!computed.contains(name)) add_stated(name, read);
    }
    return {};
  }

 private:
  Result<std::vector<EvalRow>> choices() const {
    if (const auto checked = check_accuracies(samples_); !checked) {
      return tl::unexpected(checked.error());
    }
    std::vector<ChoiceItem> items;
    std::vector<ChoiceScores> scores;
    for (const HarnessSample& sample : samples_) {
      items.push_back(*sample.item);
      scores.push_back(sample.scores);
    }
    std::vector<EvalRow> rows = choice_rows(task_, items, scores, level_);
    std::erase_if(rows, [&](const EvalRow& row) {
      return !std::ranges::all_of(
          samples_, [&](const HarnessSample& sample) { return agrees(sample, row.metric); });
    });
    return rows;
  }

  void add_stated(const std::string& name, HarnessSamples& read) const {
    std::vector<double> values;
    std::vector<std::uint32_t> lines;
    std::string other;
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      const auto found = samples_[i].metrics.find(name);
      const std::vector<double> stated = found == samples_[i].metrics.end()
                                             ? std::vector<double>()
                                             : values_of(name, found->second);
      if (stated.empty() && other.empty()) other = why_not(i, name);
      for (const double value : stated) {
        values.push_back(value);
        lines.push_back(static_cast<std::uint32_t>(i));
      }
    }
    if (!other.empty()) {
      read.notes.push_back(std::move(other));
      return;
    }
    read.rows.push_back(stated_row(name, values, lines));
  }

  // A number a line; the truths of IFEval's lists.
  static std::vector<double> values_of(const std::string& name, const Json& stated) {
    if (const auto value = value_of(stated)) return {*value};
    if (!stated.is_array() || !name.starts_with("inst_level_")) return {};
    std::vector<double> values;
    for (const Json& one : stated) {
      if (!one.is_boolean()) return {};
      values.push_back(one.get<bool>() ? 1 : 0);
    }
    return values;
  }

  std::string why_not(std::size_t line, const std::string& name) const {
    const auto found = samples_[line].metrics.find(name);
    const std::string metric = joined_metric(name, filter_);
    if (found == samples_[line].metrics.end() || found->second.is_null()) {
      return fmt::format("{} is left out: it does not stand on every line ({}).", metric,
                         samples_[line].record->where);
    }
    return fmt::format(
        "{} is left out: its lines hold {} where a number would be ({}), of which the harness "
        "makes "
        "one figure; it stands in results.json.",
        metric, found->second.is_array() ? "pairs or lists" : "something else",
        samples_[line].record->where);
  }

  EvalRow stated_row(const std::string& name, std::span<const double> values,
                     std::span<const std::uint32_t> lines) const {
    const RowName row_name{task_, joined_metric(name, filter_)};
    if (name == "perplexity") return perplexity_row(row_name, values);
    const auto within = [](double v) { return v >= 0 && v <= 1; };
    if (std::ranges::all_of(values, is_truth)) {
      const Scale scale = is_harness_share(name) ? harness_scale(task_, name) : kShareScale;
      return share_row(row_name, values, lines, scale, level_);
    }
    const Scale scale = harness_scale(task_, name);
    if (!scale.ceiling || !std::ranges::all_of(values, within)) {
      return mean_row(row_name, values, kOpenScale, level_);
    }
    EvalRow row = mean_row(row_name, values, kShareScale, level_);
    row.chance = scale.chance;
    row.at = row.ci ? place_of(*row.ci, scale) : std::nullopt;
    return row;
  }

  // exp(-mean) of log-likelihoods, and of the ends of their mean's interval.
  EvalRow perplexity_row(const RowName& name, std::span<const double> values) const {
    EvalRow row = mean_row(name, values, kOpenScale, level_);
    if (row.score) row.score = std::exp(-*row.score);
    if (row.ci) row.ci = stats::Interval{std::exp(-row.ci->high), std::exp(-row.ci->low)};
    return row;
  }

  std::string task_, filter_;
  std::span<const HarnessSample> samples_;
  double level_;
};

}  // namespace

Result<HarnessSamples> read_harness_samples(const std::string& file, double level) {
  PLUMB_TRY(records, read_entries(file));
  std::map<std::string, std::vector<HarnessSample>> filters;
  std::set<std::pair<std::string, std::size_t>> seen;
  std::string task = harness_task(file);
  std::string stated;
  for (const Record& record : records) {
    PLUMB_TRY(filter, text_field(record, "filter"));
    PLUMB_TRY(sample, read_sample(record));
    PLUMB_TRY(name, text_field(record, "task"));
    if (!stated.empty() && name != stated) {
      return bad_record(record, fmt::format("a sample of {} among those of {}", name, stated));
    }
    stated = name;
    if (!seen.emplace(filter, sample.document).second) {
      return bad_record(record,
                        fmt::format("document {} stands here a second time", sample.document));
    }
    filters[filter].push_back(std::move(sample));
  }
  if (!stated.empty()) task = stated;
  HarnessSamples read;
  for (const auto& [filter, samples] : filters) {
    if (const auto added = FilterRows(task, filter, samples, level).add_to(read); !added) {
      return tl::unexpected(added.error());
    }
  }
  if (read.rows.empty()) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: no line states a metric that is a number{}{}", file,
                            read.notes.empty() ? "" : ": ", fmt::join(read.notes, " ")));
  }
  return read;
}

}  // namespace plumb::evals
