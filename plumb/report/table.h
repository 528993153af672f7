// Tables of text, and the three ways to print one: columns for a terminal, CSV, Markdown.
//
//   Table table{{{"model"}, {"score", Align::kRight}}, {}};
//   table.rows.push_back({"jasper", "80.1"});
//   std::string text = to_terminal(table, {});
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/stats/score.h"

namespace plumb::report {

enum class Align { kLeft, kRight };

struct Column {
  std::string title;
  Align align = Align::kLeft;
  int drop = 0;  // a narrow terminal does without the highest first, all of one number together;
                 // 0 stays
};

struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;  // each as long as `columns`
};

// Where text for people goes.
struct Terminal {
  bool bold = false;      // the heading of a table stands out
  std::size_t width = 0;  // columns; 0: as wide as it takes (a file, a pipe)
};

// Two blanks between columns. A table that is wider than the terminal leaves out columns (see
// Column::drop) and says which, then wraps its widest column.
std::string to_terminal(const Table& table, const Terminal& terminal);
std::string to_csv(const Table& table);       // RFC 4180
std::string to_markdown(const Table& table);  // GitHub's pipe tables

// The text with every control character as an escape ("\\n", "\\x1b"): one line, and nothing that a
// terminal obeys.
std::string printable(std::string_view text);

// Prose in lines of at most `width` columns, broken at blanks, and inside a word only where it is
// longer than a line; every line after the first starts with `indent` blanks.
inline constexpr std::size_t kProseWidth = 80;
std::string wrapped(std::string_view text, std::size_t width = kProseWidth, std::size_t indent = 0);

// Numbers as the tables print them: "77.6", "+2.5", "[-3.9, +8.6]", "1-7"; "-" for nothing.
std::string fixed(std::optional<double> value, int digits = 1);
std::string with_sign(std::optional<double> value, int digits = 1);
std::string interval(const std::optional<stats::Interval>& ci, int digits = 1);
std::string signed_interval(const std::optional<stats::Interval>& ci, int digits = 1);
// All digits that a double needs, for records that a program reads; "" for nothing.
std::string exact(std::optional<double> value);

}  // namespace plumb::report
