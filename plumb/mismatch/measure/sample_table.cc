#include "plumb/mismatch/measure/sample_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "plumb/rlhf/sample_files.h"

namespace plumb::mismatch {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// Texts that are scored at once.
constexpr std::size_t kBatch = 2048;

constexpr std::vector<double> SampleTable::*kColumns[] = {
    &SampleTable::proxy, &SampleTable::gold,   &SampleTable::kl,
    &SampleTable::k1,    &SampleTable::tokens, &SampleTable::ended};

void add_text(Sha256& hash, std::string_view text) {
  hash.add(fmt::format("{}:", text.size()));
  hash.add(text);
}

template <typename T>
std::vector<T> in_order(const std::vector<T>& column, std::span<const std::size_t> order) {
  std::vector<T> sorted;
  sorted.reserve(order.size());
  for (const std::size_t i : order) sorted.push_back(column[i]);
  return sorted;
}

void add_number(Sha256& hash, double number) { add_text(hash, fmt::format("{}", number)); }

template <typename T>
std::string_view bytes_of(const T& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(numbers[0])};
}

// What makes a sample the same as another, in 64 bits.
std::uint64_t mark_of(const rlhf::Sample& sample, std::uint64_t prompt) {
  const std::array<std::uint64_t, 5> parts = {
      sample.step, prompt, checksum(sample.completion),
      std::bit_cast<std::uint64_t>(sample.proxy.value_or(kNone)),
      std::bit_cast<std::uint64_t>(sample.log_probability.value_or(kNone))};
  return checksum(bytes_of(parts));
}

// How many of the marks are there before.
std::size_t repeats_of(std::vector<std::uint64_t>& marks) {
  std::ranges::sort(marks);
  const auto distinct = std::unique(marks.begin(), marks.end());
  return static_cast<std::size_t>(marks.end() - distinct);
}

}  // namespace

std::span<const SampleGroup> SampleTable::at_step(std::size_t place) const {
  const auto first = std::ranges::lower_bound(groups, place, {}, &SampleGroup::step);
  return {first, std::ranges::upper_bound(groups, place, {}, &SampleGroup::step)};
}

bool any_measured(std::span<const double> column) {
  return std::ranges::any_of(column, [](double value) { return !std::isnan(value); });
}

double measured_mean(std::span<const double> column, std::size_t begin, std::size_t end) {
  double first = 0, sum = 0, count = 0;
  for (std::size_t i = begin; i < end; ++i) {
    if (std::isnan(column[i])) continue;
    if (count == 0) first = column[i];
    sum += column[i] - first;
    count += 1;
  }
  return count == 0 ? kNone : first + sum / count;
}

Result<void> score_anew(std::vector<rlhf::Sample>& samples, const TableOptions& options) {
  std::vector<rlhf::Completed> texts;
  for (const rlhf::Sample& sample : samples) {
    texts.push_back({sample.prompt, sample.completion, sample.ended.value_or(true)});
  }
  const std::pair<rlhf::Reward*, std::optional<double> rlhf::Sample::*> rewards[] = {
      {options.proxy_by, &rlhf::Sample::proxy}, {options.gold_by, &rlhf::Sample::gold}};
  for (const auto& [reward, field] : rewards) {
    if (reward == nullptr) continue;
    PLUMB_TRY(scores, reward->score(texts, options.threads));
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i].*field = scores[i];
  }
  return {};
}

struct SampleTableBuilder::State {
  SampleTable table;
  Sha256 hash;
  std::unordered_map<std::string, std::uint32_t> prompts;
  std::vector<std::size_t> step;      // [samples], as given
  std::vector<std::uint32_t> prompt;  // [samples]
  std::vector<std::uint64_t> marks;   // [samples]
  std::vector<std::uint64_t> texts;   // [prompts] their hashes

  void count_repeats(std::span<const std::size_t> order);
};

SampleTableBuilder::SampleTableBuilder() : state_(std::make_unique<State>()) {}
SampleTableBuilder::SampleTableBuilder(SampleTableBuilder&&) noexcept = default;
SampleTableBuilder& SampleTableBuilder::operator=(SampleTableBuilder&&) noexcept = default;
SampleTableBuilder::~SampleTableBuilder() = default;

void SampleTableBuilder::add(const rlhf::Sample& sample, std::span<const float> extras) {
  SampleTable& table = state_->table;
  if (table.extras.size() < extras.size()) table.extras.resize(extras.size());
  for (std::size_t i = 0; i < extras.size(); ++i) table.extras[i].push_back(extras[i]);
  const auto next = static_cast<std::uint32_t>(table.prompts.size());
  const auto [place, is_new] = state_->prompts.emplace(sample.prompt, next);
  if (is_new) {
    table.prompts.push_back(sample.prompt);
    state_->texts.push_back(checksum(sample.prompt));
  }
  state_->marks.push_back(mark_of(sample, state_->texts[place->second]));
  state_->step.push_back(sample.step);
  state_->prompt.push_back(place->second);
  table.proxy.push_back(sample.proxy.value_or(kNone));
  table.gold.push_back(sample.gold.value_or(kNone));
  table.kl.push_back(sample.kl.value_or(kNone));
  const bool both = sample.log_probability && sample.reference_log_probability;
  table.k1.push_back(both ? *sample.log_probability - *sample.reference_log_probability : kNone);
  table.tokens.push_back(sample.tokens ? static_cast<double>(*sample.tokens) : kNone);
  table.ended.push_back(sample.ended ? static_cast<double>(*sample.ended) : kNone);
  add_number(state_->hash, static_cast<double>(sample.step));
  add_text(state_->hash, sample.prompt);
  add_text(state_->hash, sample.completion);
  for (const auto column : kColumns) add_number(state_->hash, (table.*column).back());
}

void SampleTableBuilder::State::count_repeats(std::span<const std::size_t> order) {
  table.repeats.assign(table.steps.size(), 0);
  std::vector<std::uint64_t> own;
  for (const SampleGroup& group : table.groups) {
    own.clear();
    for (std::size_t row = group.begin; row < group.end; ++row) own.push_back(marks[order[row]]);
    table.repeats[group.step] += repeats_of(own);
  }
  std::ranges::sort(marks);
  table.contents = plumb::sha256(bytes_of(marks));
}

SampleTable SampleTableBuilder::finish() {
  State& state = *state_;
  SampleTable& table = state.table;
  std::vector<std::size_t> order(table.samples());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto key = [&](std::size_t i) { return std::pair(state.step[i], state.prompt[i]); };
  std::ranges::stable_sort(order, {}, key);
  for (const auto column : kColumns) table.*column = in_order(table.*column, order);
  for (std::vector<float>& column : table.extras) column = in_order(column, order);
  for (std::size_t row = 0; row < order.size(); ++row) {
    const auto [step, prompt] = key(order[row]);
    const bool new_step = table.steps.empty() || table.steps.back() != step;
    if (new_step) table.steps.push_back(step);
    const auto place = static_cast<std::uint32_t>(table.steps.size() - 1);
    if (new_step || table.groups.back().prompt != prompt) {
      table.groups.push_back({place, prompt, row, row});
    }
    ++table.groups.back().end;
  }
  state.count_repeats(order);
  table.sha256 = state.hash.hex();
  SampleTable done = std::move(table);
  state_ = std::make_unique<State>();
  return done;
}

Result<SampleTable> read_sample_table(const std::filesystem::path& run,
                                      const TableOptions& options) {
  PLUMB_TRY(file, rlhf::find_samples(run));
  PLUMB_TRY(reader, rlhf::SampleReader::open(file, options.fields));
  SampleTableBuilder builder;
  std::vector<rlhf::Sample> batch;
  std::vector<float> extras(options.extras);
  const auto flush = [&]() -> Result<void> {
    if (auto scored = score_anew(batch, options); !scored) return scored;
    for (const rlhf::Sample& sample : batch) {
      std::ranges::fill(extras, 0.0F);
      if (options.describe) options.describe(sample, extras);
      builder.add(sample, extras);
    }
    batch.clear();
    return {};
  };
  while (true) {
    PLUMB_TRY(sample, reader.next());
    if (!sample) break;
    batch.push_back(std::move(*sample));
    if (batch.size() < kBatch) continue;
    if (auto done = flush(); !done) return tl::unexpected(done.error());
    if (options.progress) {
      options.progress(reader.lines().bytes_read(), reader.lines().bytes_total());
    }
  }
  if (auto done = flush(); !done) return tl::unexpected(done.error());
  SampleTable table = builder.finish();
  table.file = file.string();
  if (table.samples() > 0) return table;
  return fail(ErrorKind::kBadInput, fmt::format("{}: holds no samples", table.file));
}

}  // namespace plumb::mismatch
