#include "plumb/report/table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string_view>

#include "plumb/base/utf8.h"
#include "plumb/text/csv.h"

namespace plumb::report {
namespace {

// Code points; none of our tables holds wide or combining ones.
std::size_t width(std::string_view text) { return count_characters(text); }

std::string padded(const std::string& text, std::size_t columns, Align align) {
  const std::string blanks(columns - std::min(columns, width(text)), ' ');
  return align == Align::kLeft ? text + blanks : blanks + text;
}

std::vector<std::string> titles(const Table& table) {
  std::vector<std::string> row;
  for (const Column& column : table.columns) row.push_back(column.title);
  return row;
}

std::vector<std::size_t> widths(const Table& table) {
  std::vector<std::size_t> columns(table.columns.size(), 0);
  const auto widen = [&columns](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) columns[i] = std::max(columns[i], width(row[i]));
  };
  widen(titles(table));
  std::ranges::for_each(table.rows, widen);
  return columns;
}

constexpr std::string_view kBetween = "  ";

std::size_t total(const std::vector<std::size_t>& columns) {
  const std::size_t gaps = columns.empty() ? 0 : kBetween.size() * (columns.size() - 1);
  return std::accumulate(columns.begin(), columns.end(), gaps);
}

// Takes the columns of the highest drop number out; their titles.
std::vector<std::string> drop_columns(Table& table) {
  const int highest = std::ranges::max_element(table.columns, {}, &Column::drop)->drop;
  std::vector<std::string> dropped;
  for (std::size_t i = table.columns.size(); i-- > 0;) {
    if (highest == 0 || table.columns[i].drop != highest) continue;
    const auto at = static_cast<std::ptrdiff_t>(i);
    dropped.insert(dropped.begin(), table.columns[i].title);
    table.columns.erase(table.columns.begin() + at);
    for (auto& row : table.rows) row.erase(row.begin() + at);
  }
  return dropped;
}

// The widest column of words, as much narrower as the table is too wide.
void narrow_widest(const Table& table, std::size_t limit, std::vector<std::size_t>& columns) {
  constexpr std::size_t kLeast = 12;
  std::size_t widest = 0;
  for (std::size_t i = 1; i < columns.size(); ++i) {
    if (table.columns[i].align == Align::kLeft && columns[i] > columns[widest]) widest = i;
  }
  const std::size_t excess = total(columns) - limit;
  columns[widest] = std::min(columns[widest],
                             std::max(kLeast, columns[widest] - std::min(columns[widest], excess)));
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// One row of the table, over as many lines as its longest cell.
std::string row_text(const Table& table, const std::vector<std::string>& row,
                     const std::vector<std::size_t>& columns) {
  std::vector<std::vector<std::string>> cells;
  std::size_t height = 1;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const bool fits = width(row[i]) <= columns[i];
    cells.push_back(fits ? std::vector{row[i]} : lines_of(wrapped(row[i], columns[i])));
    height = std::max(height, cells.back().size());
  }
  std::string text;
  for (std::size_t line = 0; line < height; ++line) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) text += kBetween;
      const std::string cell = line < cells[i].size() ? cells[i][line] : std::string();
      text += padded(cell, columns[i], table.columns[i].align);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

Table with_printable_cells(Table table) {
  for (Column& column : table.columns) column.title = printable(column.title);
  for (auto& row : table.rows) {
    for (std::string& cell : row) cell = printable(cell);
  }
  return table;
}

std::string markdown_cell(std::string_view cell) {
  std::string text = printable(cell);
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.insert(at, "\\");
  }
  return text;
}

// The front of `text` that is `columns` code points wide.
std::string_view front(std::string_view text, std::size_t columns) {
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    if ((text[end] & 0xC0) != 0x80 && columns-- == 0) break;
  }
  return text.substr(0, end);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      result += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  return result;
}

std::string wrapped(std::string_view text, std::size_t limit, std::size_t indent) {
  const std::string whole = printable(text);
  std::string_view rest = whole;
  std::string result;
  std::size_t used = 0;
  bool fresh = true;  // the line holds no word yet
  const auto break_line = [&] {
    result += '\n' + std::string(indent, ' ');
    used = indent;
    fresh = true;
  };
  while (!rest.empty()) {
    std::string_view word = rest.substr(0, std::min(rest.find(' '), rest.size()));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    if (!fresh && used + 1 + width(word) > limit) break_line();
    if (!fresh) {
      result += ' ';
      ++used;
    }
    for (; used + width(word) > limit && limit > used; break_line()) {
      const std::string_view part = front(word, limit - used);
      result += part;
      word.remove_prefix(part.size());
    }
    result += word;
    used += width(word);
    fresh = false;
  }
  return result;
}

std::string to_terminal(const Table& whole, const Terminal& terminal) {
  Table table = with_printable_cells(whole);
  std::vector<std::string> left_out;
  while (terminal.width > 0 && total(widths(table)) > terminal.width) {
    const std::vector<std::string> dropped = drop_columns(table);
    if (dropped.empty()) break;
    left_out.insert(left_out.begin(), dropped.begin(), dropped.end());
  }
  std::vector<std::size_t> columns = widths(table);
  if (terminal.width > 0 && total(columns) > terminal.width) {
    narrow_widest(table, terminal.width, columns);
  }
  std::string text = row_text(table, titles(table), columns);
  if (terminal.bold) text = fmt::format("\033[1m{}\033[0m\n", text.substr(0, text.size() - 1));
  for (const auto& row : table.rows) text += row_text(table, row, columns);
  if (!left_out.empty()) {
    text += wrapped(fmt::format("(Left out to fit {} columns: {}. A wider terminal, --csv and "
                                "--markdown show them.)",
                                terminal.width, fmt::join(left_out, ", ")),
                    terminal.width) +
            "\n";
  }
  return text;
}

std::string to_csv(const Table& table) {
  std::string text;
  append_csv_row(text, titles(table));
  for (const auto& row : table.rows) append_csv_row(text, row);
  return text;
}

std::string to_markdown(const Table& table) {
  const auto line = [](const std::vector<std::string>& row) {
    std::string text = "|";
    for (const std::string& cell : row) text += fmt::format(" {} |", markdown_cell(cell));
    text += '\n';
    return text;
  };
  std::string text = line(titles(table)) + "|";
  for (const Column& column : table.columns) {
    text += column.align == Align::kLeft ? " --- |" : " ---: |";
  }
  text += "\n";
  for (const auto& row : table.rows) text += line(row);
  return text;
}

std::string fixed(std::optional<double> value, int digits) {
  return value ? fmt::format("{:.{}f}", *value, digits) : "-";
}

std::string with_sign(std::optional<double> value, int digits) {
  return value ? fmt::format("{:+.{}f}", *value, digits) : "-";
}

std::string interval(const std::optional<stats::Interval>& ci, int digits) {
  return ci ? fmt::format("[{:.{}f}, {:.{}f}]", ci->low, digits, ci->high, digits) : "-";
}

std::string signed_interval(const std::optional<stats::Interval>& ci, int digits) {
  return ci ? fmt::format("[{:+.{}f}, {:+.{}f}]", ci->low, digits, ci->high, digits) : "-";
}

std::string exact(std::optional<double> value) { return value ? fmt::format("{}", *value) : ""; }

}  // namespace plumb::report
