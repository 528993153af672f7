// A language model behind /v1/chat/completions as an annotator: it is given the words that a person
// gets (llm_prompt.h) and fills in answer sheets of kind "llm", which never count as human.
//
//   PLUMB_TRY(spec, parse_remote_spec("http://localhost:8080/v1#some-model"));
//   PLUMB_TRY(rater, make_llm_annotator(spec, {.log = folder / "replies.jsonl"}));
//   PLUMB_TRY(sheets, rater->answer(task, {.seed = 1}));
//
// Every reply is kept in the log (reply_log.h), from which an interrupted run goes on. Where the
// model refuses, where its reply has not the form that was asked for, and where the item is too
// long for it, the sheet has no answer and counts one refusal; the provenance counts each kind.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>

#include "plumb/base/result.h"
#include "plumb/raters/remote/http_client.h"
#include "plumb/raters/remote/remote_spec.h"
#include "plumb/tasks/rater.h"

namespace plumb::raters {

struct LlmOptions {
  HttpOptions http = {};
  std::filesystem::path log = {};  // required
  int concurrency = 4;             // requests under way at once, at most
  int runs = 1;                    // sheets; each with orders and request seeds of its own
  bool ask_again = false;  // once more, with a reminder of the form, after a reply without it
  double temperature = 0;
  bool send_seed = true;                // some servers refuse the field
  std::optional<int> max_tokens = {};   // of a reply; 0: the server's own; nothing: by the form
  std::size_t texts_per_request = 100;  // clustering: more texts are sorted in rounds
};

// Errors of answer(): those of HttpClient::post() and ReplyLog; kBadInput: what came is no chat
// completion, or the task's labels cannot be told apart. kUsage: no log.
Result<std::unique_ptr<tasks::Rater>> make_llm_annotator(const RemoteSpec& spec,
                                                         LlmOptions options);

}  // namespace plumb::raters
