// --precision, of the verbs that compute with a model of their own.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "plumb/cli/options.h"
#include "plumb/nn/precision.h"

namespace plumb::cli {

// In which a value that passed the check is parse_precision()'s.
inline CLI::Option* declare_precision(CLI::App& verb, std::string& precision) {
  return verb
      .add_option("--precision", precision,
                  "of a transformer's products: f32, or faster and less exact, bf16 or int8 "
                  "(docs/engine.md)")
      ->type_name("NAME")
      ->check(one_of("f32, bf16, int8"))
      ->capture_default_str();
}

}  // namespace plumb::cli
