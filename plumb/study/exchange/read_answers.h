// Answers out of other programs' files, one by one, each with where it stands.
//
//   format          what is read
//   answers         plumb.answers/1: JSON lines, plain or gzip, or a CSV or TSV table; of a table
//                   the rows that count and are of the task (tasks::AnswerRows)
//   argilla         records.to_json(): "responses" {question: [{"value", "user_id"}]}, and the
//                   flattened form, "QUESTION.responses" beside "QUESTION.responses.users"
//   label-studio    the JSON export: "annotations" with "result" lists of choices, ratings, numbers
//                   and pairwise selections; cancelled annotations are left out
//   doccano         the JSONL export of one annotator: "text" and "label"
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/tasks/answers.h"
#include "plumb/tasks/task.h"

namespace plumb::study {

enum class AnswerFormat { kAnswers, kArgilla, kLabelStudio, kDoccano };
// "answers", "argilla", "label-studio", "doccano"
std::optional<AnswerFormat> parse_answer_format(std::string_view name);

struct ForeignAnswer {
  std::string where;  // "file:line"
  std::string rater;
  tasks::RaterKind kind = tasks::RaterKind::kPerson;
  std::string item;                // its id; "" where the file gives none
  std::vector<std::string> texts;  // of the item, where the file repeats them
  // The texts that the choices A and B stand for; empty where no names of fields tell: then they
  // are the first and the second of them among the texts.
  std::vector<std::string> sides = {};
  Json answer;  // as codec.h has it; not checked against the item
  std::string comment = {};
  bool flagged = false;
  std::optional<std::int64_t> at_ms = {}, active_ms = {}, idle_ms = {};
};

struct ForeignAnswers {
  std::vector<ForeignAnswer> answers = {};
  std::size_t of_other_tasks = 0;  // rows that were left out
};

struct ReadOptions {
  AnswerFormat format = AnswerFormat::kAnswers;
  std::string question;           // which of several questions of a record; "": its only one
  std::string rater;              // of doccano, whose lines do not say; "": the file's name
  bool leave_others_out = false;  // rows of other tasks, which are an error else
};

// kBadInput, with file and line, at the first record that does not fit the format or the kind of
// task; the hash of other items among it.
Result<ForeignAnswers> read_foreign_answers(const std::filesystem::path& path,
                                            const tasks::Task& header,
                                            std::string_view items_sha256,
                                            const ReadOptions& options);

// Milliseconds since 1970 of "2026-03-01T12:00:00.250Z" or with an offset such as "+01:00".
std::optional<std::int64_t> parse_utc(std::string_view text);

// The error of an answer that does not fit: kBadInput. where: file and line.
tl::unexpected<Error> bad_answer(const std::string& where, std::string_view message);

}  // namespace plumb::study
