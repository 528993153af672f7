#include "plumb/evals/writers/echo_reply.h"

#include <fmt/format.h>

#include <algorithm>

#include "plumb/base/utf8.h"

namespace plumb::evals {
namespace {

const Json* list_in(const Json& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_array() ? &*found : nullptr;
}

// How many of the tokens are the prompt's: those that begin inside it, where the server says where
// they begin; else as many as it counts in "usage"; else all but the one that was asked for.
std::size_t prompt_tokens(const Json& body, const Json& log_probabilities, std::size_t tokens,
                          const std::string& prompt) {
  const Json* offsets = list_in(log_probabilities, "text_offset");
  if (offsets == nullptr || offsets->size() != tokens) {
    const Json used = body.value("usage", Json::object()).value("prompt_tokens", Json());
    const bool counted = used.is_number_unsigned() && used.get<std::size_t>() <= tokens;
    return counted ? used.get<std::size_t>() : tokens - std::min<std::size_t>(tokens, 1);
  }
  const auto first =
      offsets->empty() || !(*offsets)[0].is_number() ? 0 : (*offsets)[0].get<double>();
  const auto end = first + static_cast<double>(count_characters(prompt));
  const auto inside = std::ranges::count_if(
      *offsets, [&](const Json& at) { return at.is_number() && at.get<double>() < end; });
  return static_cast<std::size_t>(inside);
}

// Whether no other token at this place has a higher log-probability than `own`.
bool is_likeliest(const Json* tops, std::size_t token, double own) {
  if (tops == nullptr || token >= tops->size() || !(*tops)[token].is_object()) return false;
  const Json& candidates = (*tops)[token];
  return std::ranges::all_of(candidates, [&](const Json& value) {
    return !value.is_number() || value.get<double>() <= own + 1e-9;
  });
}

}  // namespace

const Json* first_choice(const Json& body) {
  if (!body.is_object()) return nullptr;
  const Json* choices = list_in(body, "choices");
  return choices == nullptr || choices->empty() || !(*choices)[0].is_object() ? nullptr
                                                                              : &(*choices)[0];
}

tl::expected<EchoedTokens, std::string> read_echo(const Json& body, const std::string& prompt) {
  const Json* choice = first_choice(body);
  if (choice == nullptr) return tl::unexpected(std::string("the answer is no completion"));
  const auto found = choice->find("logprobs");
  if (found == choice->end() || !found->is_object()) {
    return tl::unexpected(std::string("the answer has no \"logprobs\""));
  }
  const Json* values = list_in(*found, "token_logprobs");
  if (values == nullptr) {
    return tl::unexpected(std::string("\"logprobs\" has no \"token_logprobs\""));
  }
  const std::size_t count = prompt_tokens(body, *found, values->size(), prompt);
  if (count == 0 && !prompt.empty()) {
    return tl::unexpected(std::string("the prompt is not repeated"));
  }
  const Json* tops = list_in(*found, "top_logprobs");
  EchoedTokens echoed;
  for (std::size_t t = 0; t < count; ++t) {
    const Json& value = (*values)[t];
    if (!value.is_number() && t > 0) {
      return tl::unexpected(fmt::format("token {} has no log-probability", t + 1));
    }
    echoed.log_probabilities.push_back(value.is_number() ? std::optional(value.get<double>())
                                                         : std::nullopt);
    echoed.likeliest.push_back(value.is_number() && is_likeliest(tops, t, value.get<double>()));
  }
  return echoed;
}

tl::expected<ContinuationScore, std::string> score_echo(const EchoedTokens& echoed,
                                                        std::size_t context) {
  ContinuationScore score{.greedy = true};
  for (std::size_t t = context; t < echoed.log_probabilities.size(); ++t) {
    if (!echoed.log_probabilities[t]) {
      return tl::unexpected(std::string("the first token of a text without a context has none"));
    }
    score.log_likelihood += *echoed.log_probabilities[t];
    score.greedy = score.greedy && echoed.likeliest[t];
    ++score.tokens;
  }
  return score;
}

}  // namespace plumb::evals
