// The answer of /v1/completions to a prompt that is to be repeated with its log-probabilities,
// taken apart and checked. Used by remote_writer.cc alone.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/evals/writers/writer.h"

namespace plumb::evals {

// The tokens of the prompt; what the server wrote after it is left out.
struct EchoedTokens {
  std::vector<std::optional<double>> log_probabilities;  // [tokens]; the first one may have none
  std::vector<bool> likeliest;                           // [tokens]
};

// The first of the choices of a completion. nullptr: there is none.
const Json* first_choice(const Json& body);

// The error says what is missing.
tl::expected<EchoedTokens, std::string> read_echo(const Json& body, const std::string& prompt);

// Of what follows the first `context` tokens.
tl::expected<ContinuationScore, std::string> score_echo(const EchoedTokens& echoed,
                                                        std::size_t context);

}  // namespace plumb::evals
