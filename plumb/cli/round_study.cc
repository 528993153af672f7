#include "plumb/cli/round_study.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <vector>

#include "plumb/cli/shell_words.h"
#include "plumb/study/accounts.h"
#include "plumb/study/create.h"
#include "plumb/study/store.h"
#include "plumb/tasks/task_file.h"

namespace plumb::cli {
namespace {

namespace fs = std::filesystem;
using study::Store;

std::string name_of(std::size_t round) { return fmt::format("round-{}", round); }

struct Opened {
  std::unique_ptr<Store> store;
  study::Study study;
};

// For reading, which a server that runs does not mind. Nothing: there is no such file or study.
Result<std::optional<Opened>> opened(const fs::path& data, const std::string& name) {
  auto store = Store::open(data, {.mode = Store::Mode::kRead});
  if (!store && store.error().kind == ErrorKind::kNotFound) return std::nullopt;
  if (!store) return tl::unexpected(store.error());
  auto found = study::Study::open(**store, name);
  if (!found && found.error().kind == ErrorKind::kNotFound) return std::nullopt;
  if (!found) return tl::unexpected(found.error());
  return Opened{std::move(*store), std::move(*found)};
}

Result<std::size_t> accounts_of(const std::optional<Opened>& studio) {
  if (!studio) return std::size_t{0};
  PLUMB_TRY(count, study::Accounts(*studio->store).count());
  return static_cast<std::size_t>(count);
}

std::size_t overlap_of(const study::Study& study) {
  return static_cast<std::size_t>(study.info().overlap);
}

Result<void> make(const RoundStudy& wanted, const mismatch::LoopReport& report,
                  const std::optional<Opened>& before) {
  PLUMB_TRY(task, tasks::read_task(report.task));
  PLUMB_TRY(store, Store::open(wanted.data, {.mode = Store::Mode::kCreate}));
  auto made = study::Study::open(*store, wanted.name);
  if (!made && made.error().kind == ErrorKind::kNotFound) {
    made = study::create_study(*store, {.name = wanted.name,
                                        .tasks = {task},
                                        .overlap = static_cast<int>(wanted.overlap),
                                        .seed = report.options.seed});
  }
  if (!made) return tl::unexpected(made.error());
  if (!before) return {};
  const auto came = study::carry_people(before->study, *made);
  return came ? Result<void>() : tl::unexpected(came.error());
}

std::string command(const std::vector<std::string>& words) {
  return "  " + shell_line(words) + "\n";
}

}  // namespace

Result<RoundStudy> study_of_round(const mismatch::LoopReport& report,
                                  std::optional<std::size_t> overlap) {
  const std::size_t round = *report.waiting_for;
  const fs::path here = report.task.parent_path();
  RoundStudy wanted{round, report.options.folder, here / "study.db", name_of(round), 0, 1, 0};
  const fs::path data_before = here.parent_path() / fmt::format("{}", round - 1) / "study.db";
  PLUMB_TRY(before, opened(data_before, name_of(round - 1)));
  PLUMB_TRY(known, accounts_of(before));
  wanted.overlap = overlap.value_or(before ? overlap_of(before->study) : 1);
  PLUMB_TRY(there, opened(wanted.data, wanted.name));
  PLUMB_TRY(here_already, accounts_of(there));
  if (!there || (here_already == 0 && known > 0)) {
    if (auto made = make(wanted, report, before); !made) return tl::unexpected(made.error());
    PLUMB_TRY(made_now, opened(wanted.data, wanted.name));
    there = std::move(made_now);
    PLUMB_TRY(came, accounts_of(there));
    here_already = came;
  }
  wanted.accounts = here_already;
  wanted.overlap = overlap_of(there->study);
  for (const study::StudyTask& task : there->study.tasks()) {
    wanted.questions += static_cast<std::size_t>(task.items);
  }
  return wanted;
}

std::string next_steps(const RoundStudy& study) {
  const std::string data = study.data.string();
  const std::string answers = (study.data.parent_path() / "export.jsonl").string();
  std::string text = fmt::format(
      "Round {} waits for people: {} questions{}, in the study \"{}\".\n", study.round,
      study.questions, study.overlap > 1 ? fmt::format(", each for {} of them", study.overlap) : "",
      study.name);
  std::vector<std::string> invite = {"plumb", "study", "invite", study.name, "--data", data};
  if (study.accounts > 0) {
    text += "Whoever answered before signs in as before. A link for somebody new:\n";
  } else {
    text += study.overlap > 1 ? "A link for each of them, by which they make an account:\n"
                              : "A link for each who answers, by which they make an account:\n";
    if (study.overlap > 1)
      invite.insert(invite.end(), {"--count", fmt::format("{}", study.overlap)});
  }
  text += command(invite);
  text += study.accounts > 0
              ? "The page on which they answer, until Ctrl-C:\n"
              : "The page on which they answer, until Ctrl-C; an owner's password is shown once:\n";
  text += command({"plumb", "serve", "--data", data});
  text += "When all is answered, the next round:\n";
  text += command({"plumb", "study", "export", study.name, "--data", data, "-o", answers});
  text +=
      command({"plumb", "mismatch", "loop", "--run", study.folder.string(), "--answers", answers});
  return text;
}

}  // namespace plumb::cli
