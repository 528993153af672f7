// The help of every verb: an example first, then usage, arguments and options in 80 columns.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace plumb::cli {

// A verb's description is its example, an empty line, and one sentence that lists of verbs show
// too.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
  std::string make_description(const CLI::App* app) const override;
  std::string make_subcommands(const CLI::App* app, CLI::AppFormatMode mode) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_option_desc(const CLI::Option* option) const override;
};

}  // namespace plumb::cli
