// Errors are values. A function that can fail on input returns Result<T>: the value, or an Error
// that says what failed, on which file or item, why, and what to do next. Exceptions of libraries
// stop at the border of the module that calls them.
//
//   Result<Figures> figures = read_figures(path);
//   if (!figures) return tl::unexpected(figures.error());   // or PLUMB_TRY(figures,
//   read_figures(path))
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace plumb {

// The kinds are the exit codes of the program.
enum class ErrorKind {
  kInternal = 1,    // a bug in plumb
  kUsage = 2,       // the command was called wrongly
  kBadInput = 3,    // a file or item does not hold what it should
  kNotFound = 4,    // a file, model, task or name does not exist, or holds nothing
  kBusy = 5,        // someone else holds it
  kNotAllowed = 6,  // no permission
  kGateFailed = 7,  // a threshold the user set was not reached
  kExhausted = 8,   // out of memory, disk or file handles
};

struct Error {
  ErrorKind kind;
  std::string message;  // one line: "<file or item>: <what and why>; <what to do>"
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return tl::unexpected<Error>(Error{kind, std::move(message)});
}

}  // namespace plumb

// PLUMB_TRY(name, expression): binds the value of a Result to `name`, or returns its error.
#define PLUMB_TRY(name, expression)                                            \
  auto name##_result = (expression);                                           \
  if (!name##_result) return tl::unexpected(std::move(name##_result.error())); \
  auto& name = *name##_result
