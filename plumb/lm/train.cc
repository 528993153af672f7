#include "plumb/lm/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <system_error>

#include "plumb/base/files.h"
#include "plumb/base/hash.h"
#include "plumb/base/json.h"
#include "plumb/lm/documents.h"
#include "plumb/lm/packing.h"
#include "plumb/lm/run_folder.h"
#include "plumb/lm/run_lines.h"
#include "plumb/lm/tokenizer_fit.h"
#include "plumb/nn/checkpoint.h"
#include "plumb/nn/trainer.h"

namespace plumb::lm {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// The run as it is described in its manifest: all that its bytes follow from.
Json manifest_of(const nn::Transformer& model, std::span<const std::string> documents,
                 const TrainOptions& options, std::size_t shards) {
  std::string all;
  for (const std::string& document : documents) all += document + "\n\n";
  const nn::RateSchedule& s = options.schedule;
  return {{"schema", "plumb.lm-run/1"},
          {"texts_sha256", sha256(all)},
          {"documents", documents.size()},
          {"start_sha256", weights_hash(model)},
          {"config", nn::config_json(model.config())},
          {"context", model.config().context},
          {"seed", options.seed},
          {"steps", options.steps},
          {"batch", options.batch},
          {"shards", shards},
          {"kernels", nn::kernels().name},
          {"schedule", nn::schedule_name(s.kind)},
          {"rate", s.rate},
          {"final_share", s.final_share},
          {"warmup", s.warmup},
          {"beta1", options.adam.beta1},
          {"beta2", options.adam.beta2},
          {"decay", options.adam.decay},
          {"clip", options.adam.clip}};
}

Result<std::vector<double>> kept_losses(const fs::path& run, std::size_t step) {
  PLUMB_TRY(events, keep_events(run, step));
  std::vector<double> losses;
  for (const Json& event : events) {
    const auto loss = event.find("loss");
    if (loss == event.end() || !loss->is_number()) break;
    losses.push_back(loss->get<double>());
  }
  return losses;
}

double mean_of(std::span<const double> values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// One step on the blocks of this number; the mean loss, or nothing where the norm is not finite.
class Stepper {
 public:
  Stepper(nn::Transformer& model, PackedTexts& texts, const TrainOptions& options)
      : trainer_(model, {.adam = options.adam, .threads = options.threads}),
        texts_(texts),
        options_(options) {}

  nn::Trainer& trainer() { return trainer_; }

  struct Outcome {
    double loss, norm, rate;
    std::size_t tokens;
  };

  Outcome step(std::size_t number, const nn::RateSchedule& schedule) {
    std::vector<Block> blocks;
    std::size_t targets = 0;
    for (std::size_t i = 0; i < options_.batch; ++i) {
      blocks.push_back(texts_.draw(options_.seed, number * options_.batch + i));
      const auto& own = blocks.back().targets;
      targets += own.size() - static_cast<std::size_t>(std::ranges::count(own, nn::kNoTarget));
    }
    const float weight = 1.0F / static_cast<float>(std::max<std::size_t>(targets, 1));
    const std::size_t shards = trainer_.shards();
    std::vector<double> nats(shards);
    trainer_.accumulate([&](std::size_t shard, nn::Pass& pass, std::span<float> gradient) {
      const std::size_t begin = shard * blocks.size() / shards,
                        end = (shard + 1) * blocks.size() / shards;
      const std::size_t length = blocks[0].tokens.size();
      const std::size_t at_once = std::max<std::size_t>(pass.max_tokens() / length, 1);
      for (std::size_t i = begin; i < end; i += at_once) {
        Block joined;
        for (std::size_t j = i; j < std::min(end, i + at_once); ++j) joined.append(blocks[j]);
        pass.forward({joined.tokens, joined.starts});
        nats[shard] += pass.add_cross_entropy(joined.targets, weight, gradient);
        pass.backward(gradient);
      }
    });
    const float rate = schedule.at(number);
    const double norm = trainer_.step(rate);
    return {std::accumulate(nats.begin(), nats.end(), 0.0) * static_cast<double>(weight), norm,
            static_cast<double>(rate), options_.batch * blocks[0].tokens.size()};
  }

 private:
  nn::Trainer trainer_;
  PackedTexts& texts_;
  const TrainOptions& options_;
};

tl::unexpected<Error> diverged(const fs::path& run, std::size_t step) {
  return fail(ErrorKind::kBadInput,
              fmt::format("{}: the gradient of step {} is not finite: the training diverged; the "
                          "last state stays, begin anew with a lower --rate",
                          run.string(), step + 1));
}

}  // namespace

Result<void> copy_tokenizer(const fs::path& from, const fs::path& folder) {
  constexpr const char* kNames[] = {"tokenizer.json",
                                    "tokenizer_config.json",
                                    "special_tokens_map.json",
                                    "vocab.json",
                                    "merges.txt",
                                    "vocab.txt"};
  std::error_code code;
  std::vector<std::pair<fs::path, fs::path>> copies;
  if (fs::is_directory(from, code)) {
    for (const char* name : kNames) {
      if (fs::exists(from / name, code)) copies.emplace_back(from / name, folder / name);
    }
    for (const fs::directory_entry& entry : fs::directory_iterator(from, code)) {
      const bool small = entry.path().extension() == ".bin" && copies.empty() &&
                         load_tokenizer(entry.path()).has_value();
      if (small) copies.emplace_back(entry.path(), folder / "tokenizer.bin");
    }
  } else {
    fs::path name = from.filename();
    if (from.extension() == ".bin") name = "tokenizer.bin";
    if (from.extension() == ".json" && name != "vocab.json") name = "tokenizer.json";
    copies.emplace_back(from, folder / name);
  }
  for (const auto& [source, target] : copies) {
    if (fs::equivalent(source, target, code)) continue;
    PLUMB_TRY(bytes, read_file(source));
    if (auto written = write_file_atomic(target, bytes); !written) return written;
  }
  return {};
}

Result<TrainReport> train(const ModelSource& start, const Tokenizer& tokenizer,
                          const fs::path& tokenizer_files, const TrainOptions& options,
                          const std::function<void(const TrainStatus&)>& watch) {
  std::vector<std::string> documents;
  for (const fs::path& file : options.files) {
    PLUMB_TRY(some, read_documents(file));
    std::ranges::move(some, std::back_inserter(documents));
  }
  PLUMB_TRY(model, start());
  const TextFrame frame = frame_of(model.config(), tokenizer);
  const ModelFiles start_files{"that training starts from", tokenizer_files};
  if (auto fits = check_fit(start_files, model.config(), tokenizer, frame); !fits) {
    return tl::unexpected(fits.error());
  }
  PLUMB_TRY(texts, PackedTexts::make(tokenizer, frame, documents, model.config().context));
  nn::RateSchedule schedule = options.schedule;
  schedule.steps = options.steps;
  Stepper stepper(model, texts, options);
  nn::Optimizer& optimizer = stepper.trainer().optimizer();
  const Json manifest = manifest_of(model, documents, options, stepper.trainer().shards());
  if (auto opened = open_run(options.run, manifest); !opened) {
    return tl::unexpected(opened.error());
  }
  const Trained trained[] = {{"", model, optimizer}};
  PLUMB_TRY(first, load_state(options.run, trained, options.steps));
  PLUMB_TRY(losses, kept_losses(options.run, first));
  LineFile events(options.run / "events.jsonl");

  TrainReport report{.resumed_from = first,
                     .parameters = model.layout().size,
                     .documents = documents.size(),
                     .tokens = texts.tokens()};
  const auto began = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - began).count(); };
  std::size_t step = first, tokens = 0;
  const std::size_t last =
      options.stop_after > 0 ? std::min(options.stop_after, options.steps) : options.steps;
  for (; step < last; ++step) {
    const auto outcome = stepper.step(step, schedule);
    if (!std::isfinite(outcome.norm)) return diverged(options.run, step);
    tokens += outcome.tokens;
    losses.push_back(outcome.loss);
    const Json event = {{"step", step + 1},
                        {"loss", outcome.loss},
                        {"gradient_norm", outcome.norm},
                        {"rate", outcome.rate}};
    if (auto added = events.add(json_line(event)); !added) return tl::unexpected(added.error());
    if (watch) {
      watch({step + 1, options.steps, outcome.loss, static_cast<double>(tokens) / seconds()});
    }
    if ((step + 1) % options.save_every == 0 || step + 1 == options.steps) {
      const auto saved = save_state(options.run, trained, step + 1);
      if (!saved) return tl::unexpected(saved.error());
    }
  }
  const std::size_t tenth = std::max<std::size_t>(losses.size() / 10, losses.empty() ? 0 : 1);
  report.steps = step;
  report.first_loss = mean_of(std::span(losses).first(tenth));
  report.last_loss = mean_of(std::span(losses).last(tenth));
  report.seconds = seconds();
  report.finished = step == options.steps;
  if (!report.finished) return report;
  report.model = options.run / "model";
  if (auto saved = nn::save_transformer(report.model, model); !saved) {
    return tl::unexpected(saved.error());
  }
  if (auto copied = copy_tokenizer(tokenizer_files, report.model); !copied) {
    return tl::unexpected(copied.error());
  }
  return report;
}

}  // namespace plumb::lm
