// A server that speaks the OpenAI-compatible HTTP API as a Writer (writer.h): /v1/completions, or
// /v1/chat/completions for completions of models that chat.
//
//   PLUMB_TRY(spec, raters::parse_remote_spec("http://localhost:8080/v1#some-model"));
//   PLUMB_TRY(writer, make_remote_writer(spec, {.log = folder / "replies.jsonl"}));
//
// Every reply is kept in the log (raters/remote/reply_log.h): a run that was stopped asks only for
// the rest. Log-likelihoods take a server that repeats the prompt with its log-probabilities (echo
// and logprobs: vLLM, llama.cpp's older servers, hosted completion models); one that does not is an
// error that says so.
#pragma once

#include <filesystem>
#include <memory>

#include "plumb/evals/writers/writer.h"
#include "plumb/raters/remote/http_client.h"
#include "plumb/raters/remote/remote_spec.h"

namespace plumb::evals {

struct RemoteWriterOptions {
  raters::HttpOptions http = {};
  std::filesystem::path log = {};  // required
  int concurrency = 4;             // requests under way at once, at most
  bool chat = false;               // prompts are a user's message
  bool send_seed = true;
};

// kUsage: no log. Errors of both questions: HttpClient::post(), ReplyLog; kBadInput: what came is
// no completion.
Result<std::unique_ptr<Writer>> make_remote_writer(const raters::RemoteSpec& spec,
                                                   RemoteWriterOptions options);

}  // namespace plumb::evals
