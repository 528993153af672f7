#include "plumb/raters/probes/classify.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <numeric>
#include <string>

#include "plumb/base/parallel.h"
#include "plumb/base/random.h"
#include "plumb/raters/probes/logistic.h"
#include "plumb/raters/probes/numpy_random.h"

namespace plumb::raters {
namespace {

constexpr int kMtebDraws = 10;
constexpr std::uint32_t kMtebSeed = 42;

using Places = std::vector<std::size_t>;

// What a probe learns from: training items with gold.
struct Training {
  Places rows;              // of the texts
  std::vector<int> labels;  // [rows]
};

Training training_of(const tasks::Task& task, const EmbeddedTask& embedded) {
  Training training;
  for (std::size_t i = 0; i < task.train.size(); ++i) {
    const tasks::Answer& gold = task.train[i].gold;
    if (gold.empty()) continue;
    const auto most = std::max_element(gold.begin(), gold.end()) - gold.begin();
    training.rows.push_back(embedded.train_rows[i]);
    training.labels.push_back(gold.size() == 1 ? static_cast<int>(gold[0])
                                               : static_cast<int>(most));
  }
  return training;
}

Places identity(std::size_t count) {
  Places places(count);
  std::iota(places.begin(), places.end(), std::size_t{0});
  return places;
}

// How many items a draw has: samples_per_label of each label, or all there are.
std::size_t draw_size(std::span<const int> labels, int samples_per_label) {
  std::map<int, std::size_t> counts;
  for (const int label : labels) ++counts[label];
  std::size_t size = 0;
  for (const auto& [label, count] : counts) {
    size += std::min(count, static_cast<std::size_t>(samples_per_label));
  }
  return size;
}

// The first samples_per_label of each label. size: draw_size()
Places take(std::span<const std::size_t> order, std::span<const int> labels, int samples_per_label,
            std::size_t size) {
  std::map<int, int> taken;
  Places places;
  for (std::size_t i = 0; places.size() < size; ++i) {
    if (taken[labels[order[i]]]++ < samples_per_label) places.push_back(order[i]);
  }
  return places;
}

std::vector<Places> own_draws(std::span<const int> labels, int draws, int samples_per_label,
                              std::uint64_t seed) {
  const std::size_t size = draw_size(labels, samples_per_label);
  std::vector<Places> result;
  for (int draw = 0; draw < draws; ++draw) {
    Places order = identity(labels.size());
    Stream stream(seed, "probe draw", static_cast<std::uint64_t>(draw));
    shuffle(std::span(order), stream);
    result.push_back(take(order, labels, samples_per_label, size));
  }
  return result;
}

// What RandomState(42).shuffle makes of 0, 1, ..., count - 1.
Places mteb_shuffle(std::size_t count, std::uint64_t words_before) {
  Places places = identity(count);
  NumpyRandom random(kMtebSeed);
  random.discard(words_before);
  random.shuffle(std::span(places));
  return places;
}

std::vector<Places> draws_of(std::span<const int> labels, const ProbeOptions& options,
                             std::uint64_t seed) {
  const int samples = options.samples_per_label;
  if (options.protocol != Protocol::kDefault) {
    const bool legacy = options.protocol == Protocol::kMtebLegacy;
    return mteb_draws(labels, options.draws.value_or(kMtebDraws), samples,
                      legacy ? options.legacy_words : 0);
  }
  if (options.draws) return own_draws(labels, *options.draws, samples, seed);
  return {identity(labels.size())};
}

Result<LogisticModel> learn(const Vectors& texts, const Training& training, const Places& places,
                            const LogisticOptions& options) {
  Places rows;
  std::vector<int> labels;
  for (const std::size_t place : places) {
    rows.push_back(training.rows[place]);
    labels.push_back(training.labels[place]);
  }
  return fit_logistic(texts.select(rows), labels, options);
}

// Several draws side by side, or one with all threads.
Result<std::vector<LogisticModel>> learn_all(const Vectors& texts, const Training& training,
                                             std::span<const Places> draws,
                                             const ProbeOptions& options,
                                             const tasks::RateOptions& rate) {
  const bool mteb = options.protocol != Protocol::kDefault;
  const LogisticOptions how{.inverse_penalty = options.inverse_penalty,
                            .stop = mteb ? Stop::kScikitLearn : Stop::kOptimum,
                            .threads = draws.size() == 1 ? rate.threads : 1};
  std::vector<Result<LogisticModel>> fits(draws.size());
  std::atomic<std::size_t> done{0};
  parallel_for(draws.size(), 1, rate.threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t draw = begin; draw < end; ++draw) {
      fits[draw] = learn(texts, training, draws[draw], how);
      if (rate.progress) rate.progress(++done, draws.size());
    }
  });
  std::vector<LogisticModel> models;
  for (auto& fit : fits) {
    if (!fit) return tl::unexpected(std::move(fit.error()));
    models.push_back(std::move(*fit));
  }
  return models;
}

Json provenance(const ProbeOptions& options, const tasks::RateOptions& rate, std::size_t run,
                std::size_t texts, const LogisticModel& model, const std::string& train) {
  Json json = {{"protocol", protocol_name(options.protocol)},
               {"classifier", "logistic regression"},
               {"inverse_penalty", options.inverse_penalty},
               {"training_items", texts},
               {"train", train}};
  if (options.protocol != Protocol::kDefault || options.draws) {
    json["draw"] = run;
    json["samples_per_label"] = options.samples_per_label;
    json["seed"] = options.protocol == Protocol::kDefault ? rate.seed : kMtebSeed;
  }
  if (options.protocol == Protocol::kMtebLegacy) json["legacy_words"] = options.legacy_words;
  if (!model.converged) json["converged"] = false;
  return json;
}

std::vector<std::optional<tasks::Answer>> answers_of(std::span<const int> labels) {
  std::vector<std::optional<tasks::Answer>> answers;
  answers.reserve(labels.size());
  for (const int label : labels) {
    answers.emplace_back(std::in_place, std::size_t{1}, static_cast<double>(label));
  }
  return answers;
}

Result<void> check(const tasks::Task& task, const ProbeOptions& options) {
  if (options.draws.value_or(1) < 1 || options.samples_per_label < 1 ||
      !(options.inverse_penalty > 0)) {
    return fail(ErrorKind::kUsage,
                "a probe needs one draw or more, one sample a label or more, and C above 0");
  }
  if (task.train.empty()) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: there are no training items for a probe to learn from; add items "
                            "with \"split\": \"train\"",
                            task.name));
  }
  return {};
}

}  // namespace

std::vector<Places> mteb_draws(std::span<const int> labels, int draws, int samples_per_label,
                               std::uint64_t words_before_first) {
  const std::size_t size = draw_size(labels, samples_per_label);
  const Places shuffle = mteb_shuffle(labels.size(), 0);
  Places order = words_before_first > 0 ? mteb_shuffle(labels.size(), words_before_first) : shuffle;
  std::vector<Places> result;
  for (int draw = 0; draw < draws; ++draw) {
    if (draw > 0) {
      const Places before = order;
      for (std::size_t i = 0; i < order.size(); ++i) order[i] = before[shuffle[i]];
    }
    result.push_back(take(order, labels, samples_per_label, size));
  }
  return result;
}

Result<std::vector<tasks::AnswerSheet>> classify(const tasks::Task& task,
                                                 const EmbeddedTask& embedded,
                                                 const ProbeOptions& options,
                                                 const tasks::RateOptions& rate) {
  if (auto checked = check(task, options); !checked) return tl::unexpected(checked.error());
  const Training training = training_of(task, embedded);
  const auto draws = draws_of(training.labels, options, rate.seed);
  auto models = learn_all(embedded.texts, training, draws, options, rate);
  if (!models) {
    models.error().message = fmt::format("{}: {}", task.name, models.error().message);
    return tl::unexpected(std::move(models.error()));
  }
  Places rows;
  for (const auto& item : embedded.rows) rows.push_back(item[0]);
  const auto labels = predict(*models, embedded.texts, rows, rate.threads);
  const std::string train = tasks::train_hash(task);
  std::vector<tasks::AnswerSheet> sheets(draws.size());
  parallel_for(sheets.size(), 1, rate.threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t run = begin; run < end; ++run) {
      sheets[run].run = static_cast<int>(run);
      sheets[run].provenance =
          provenance(options, rate, run, draws[run].size(), (*models)[run], train);
      sheets[run].answers = answers_of(labels[run]);
    }
  });
  return sheets;
}

}  // namespace plumb::raters
