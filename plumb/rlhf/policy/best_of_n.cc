#include "plumb/rlhf/policy/best_of_n.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <set>

#include "plumb/lm/run_folder.h"
#include "plumb/lm/run_lines.h"
#include "plumb/stats/best_of_n.h"

namespace plumb::rlhf {
namespace {

using Clock = std::chrono::steady_clock;

Json manifest_of(const PolicyInputs& inputs, std::span<const Prompt> prompts,
                 const BestOfNOptions& o) {
  return {{"schema", "plumb.policy-run/1"},
          {"method", "best-of-n"},
          {"start", lm::provenance(inputs.start)["weights_sha256"]},
          {"config", nn::config_json(inputs.start.transformer.config())},
          {"proxy", inputs.proxy->provenance()},
          {"gold", inputs.gold == nullptr ? Json() : inputs.gold->provenance()},
          {"all_prompts", prompts.size()},
          {"all_prompts_sha256", prompts_hash(prompts)},
          {"seed", o.seed},
          {"n", o.n},
          {"max_tokens", o.max_tokens},
          {"chunk", o.chunk},
          {"kernels", nn::kernels().name}};
}

// The completion of prompt p with the highest proxy reward; of equal ones the first.
std::size_t best_of(const Rollout& rollout, std::size_t p) {
  const auto group = std::span(rollout.proxy).subspan(p * rollout.group, rollout.group);
  return p * rollout.group +
         static_cast<std::size_t>(std::ranges::max_element(group) - group.begin());
}

bool has_ties(const Rollout& rollout) {
  for (std::size_t p = 0; p < rollout.prompts.size(); ++p) {
    const auto group = std::span(rollout.proxy).subspan(p * rollout.group, rollout.group);
    if (std::set<double>(group.begin(), group.end()).size() < group.size()) return true;
  }
  return false;
}

Json event_of(std::size_t chunk, const Rollout& rollout, const Meters& meters) {
  Json event = {{"step", chunk + 1}};
  event.update(meters_json(meters));
  double proxy = 0, gold = 0;
  for (std::size_t p = 0; p < rollout.prompts.size(); ++p) {
    const std::size_t best = best_of(rollout, p);
    proxy += rollout.proxy[best];
    if (!rollout.gold.empty()) gold += rollout.gold[best];
  }
  const auto prompts = static_cast<double>(rollout.prompts.size());
  event["best_proxy"] = proxy / prompts;
  if (!rollout.gold.empty()) event["best_gold"] = gold / prompts;
  event["ties"] = has_ties(rollout);
  return event;
}

double mean_over(std::span<const Json> events, const char* field) {
  double sum = 0, prompts = 0;
  for (const Json& event : events) {
    const double own = event["prompts"];
    sum += own * event[field].get<double>();
    prompts += own;
  }
  return sum / prompts;
}

// Of proxy and gold over the prompts of a file, which has `group` completions of each beside one
// another; nothing where there is no gold.
Result<std::array<std::optional<stats::Interval>, 2>> interval_of(const std::filesystem::path& file,
                                                                  std::size_t group) {
  constexpr double kLevel = 0.95;
  PLUMB_TRY(reader, SampleReader::open(file));
  std::vector<double> proxy, gold;
  for (;;) {
    PLUMB_TRY(sample, reader.next());
    if (!sample) break;
    if (sample->proxy) proxy.push_back(*sample->proxy);
    if (sample->gold) gold.push_back(*sample->gold);
  }
  std::array<std::optional<stats::Interval>, 2> intervals;
  if (proxy.size() % group == 0) intervals[0] = clustered_mean_interval(proxy, group, kLevel);
  if (gold.size() % group == 0) intervals[1] = clustered_mean_interval(gold, group, kLevel);
  return intervals;
}

class BestOfNRun {
 public:
  BestOfNRun(const PolicyInputs& inputs, const BestOfNOptions& options)
      : inputs_(inputs),
        o_(options),
        scorer_(inputs.start.transformer, inputs.start.transformer, options.threads),
        generator_(inputs.start.transformer) {
    prompts_.assign(inputs.training.begin(), inputs.training.end());
    prompts_.insert(prompts_.end(), inputs.held_out.begin(), inputs.held_out.end());
  }

  Result<BestOfNReport> run(const std::function<void(const PolicyStatus&)>& watch);

 private:
  std::size_t chunks() const { return (prompts_.size() + o_.chunk - 1) / o_.chunk; }
  Result<void> resume();
  Result<Meters> draw_chunk(std::size_t chunk);
  Result<BestOfNReport> report() const;
  Result<void> add_intervals(BestOfNReport& report) const;

  const PolicyInputs& inputs_;
  const BestOfNOptions& o_;
  Scorer scorer_;
  nn::Generator generator_;
  std::vector<Prompt> prompts_;
  std::vector<Json> events_;
};

// The chunks that are whole, and what they wrote.
Result<void> BestOfNRun::resume() {
  if (auto opened = lm::open_run(o_.run, manifest_of(inputs_, prompts_, o_)); !opened) {
    return opened;
  }
  PLUMB_TRY(events, lm::keep_events(o_.run, chunks()));
  events_ = std::move(events);
  const std::size_t done = std::min(events_.size() * o_.chunk, prompts_.size());
  if (auto kept = lm::keep_first_lines(o_.run / "samples.jsonl", done * o_.n); !kept) return kept;
  return lm::keep_first_lines(o_.run / "best.jsonl", done);
}

Result<Meters> BestOfNRun::draw_chunk(std::size_t chunk) {
  const std::size_t first = chunk * o_.chunk;
  const auto prompts =
      pointers(std::span(prompts_).subspan(first, std::min(o_.chunk, prompts_.size() - first)));
  PLUMB_TRY(rollout, draw(inputs_.start, generator_, scorer_, prompts,
                          {.group = o_.n,
                           .max_tokens = o_.max_tokens,
                           .seed = o_.seed,
                           .first_index = first * o_.n,
                           .threads = o_.threads}));
  auto rewarded = reward_rollout(rollout, inputs_.proxy, inputs_.gold, o_.threads);
  if (!rewarded) return tl::unexpected(rewarded.error());
  std::string all, best;
  const std::vector<Sample> samples = samples_of(rollout, 0);
  for (const Sample& sample : samples) all += lm::json_line(sample_json(sample));
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    best += lm::json_line(sample_json(samples[best_of(rollout, p)]));
  }
  const Meters meters = measure(rollout);
  events_.push_back(event_of(chunk, rollout, meters));
  const std::pair<const char*, std::string> files[] = {
      {"samples.jsonl", all},
      {"best.jsonl", best},
      {"events.jsonl", lm::json_line(events_.back())}};
  for (const auto& [name, lines] : files) {
    if (auto added = lm::LineFile(o_.run / name).add(lines); !added) {
      return tl::unexpected(added.error());
    }
  }
  return meters;
}

// From the completions on file, those of chunks that an earlier process drew among them.
Result<void> BestOfNRun::add_intervals(BestOfNReport& report) const {
  PLUMB_TRY(all, interval_of(o_.run / "samples.jsonl", o_.n));
  PLUMB_TRY(best, interval_of(o_.run / "best.jsonl", 1));
  report.proxy_ci = all[0];
  report.gold_ci = all[1];
  report.best_proxy_ci = best[0];
  report.best_gold_ci = best[1];
  return {};
}

Result<BestOfNReport> BestOfNRun::report() const {
  BestOfNReport report;
  report.kl = stats::best_of_n_kl(static_cast<double>(o_.n));
  report.finished = events_.size() == chunks();
  report.prompts = std::min(events_.size() * o_.chunk, prompts_.size());
  report.completions = report.prompts * o_.n;
  if (events_.empty()) return report;
  report.proxy = mean_over(events_, "proxy");
  report.best_proxy = mean_over(events_, "best_proxy");
  if (inputs_.gold != nullptr) {
    report.gold = mean_over(events_, "gold");
    report.best_gold = mean_over(events_, "best_gold");
  }
  report.ties =
      std::ranges::any_of(events_, [](const Json& event) { return event["ties"] == true; });
  if (auto added = add_intervals(report); !added) return tl::unexpected(added.error());
  return report;
}

Result<BestOfNReport> BestOfNRun::run(const std::function<void(const PolicyStatus&)>& watch) {
  if (auto resumed = resume(); !resumed) return tl::unexpected(resumed.error());
  PLUMB_TRY(sound,
            self_test(inputs_.start, prompts_,
                      {.max_tokens = o_.max_tokens, .seed = o_.seed, .threads = o_.threads}));
  const std::size_t first = events_.size();
  const std::size_t last = o_.stop_after > 0 ? std::min(o_.stop_after, chunks()) : chunks();
  const auto began = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - began).count(); };
  std::size_t tokens = 0;
  for (std::size_t chunk = first; chunk < last; ++chunk) {
    PLUMB_TRY(meters, draw_chunk(chunk));
    tokens += meters.tokens;
    if (!watch) continue;
    watch({chunk + 1, chunks(), meters, static_cast<double>(tokens) / seconds(), seconds()});
  }
  PLUMB_TRY(done, report());
  done.resumed_from = first;
  done.self_test = sound;
  done.seconds = seconds();
  return done;
}

}  // namespace

Result<BestOfNReport> best_of_n(const PolicyInputs& inputs, const BestOfNOptions& options,
                                const std::function<void(const PolicyStatus&)>& watch) {
  if (inputs.proxy == nullptr) {
    return fail(ErrorKind::kUsage, "best of n needs a reward to choose by");
  }
  if (inputs.training.empty() && inputs.held_out.empty()) {
    return fail(ErrorKind::kBadInput, "there are no prompts to complete");
  }
  return BestOfNRun(inputs, options).run(watch);
}

}  // namespace plumb::rlhf
