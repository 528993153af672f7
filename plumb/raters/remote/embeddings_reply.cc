#include "plumb/raters/remote/embeddings_reply.h"

#include <fmt/format.h>
#include <sodium.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "plumb/raters/remote/http_client.h"

namespace plumb::raters {
namespace {

using Row = std::vector<float>;

auto fault(std::size_t text, std::string words) {
  return tl::unexpected(ReplyFault{text, std::move(words)});
}

std::optional<Row> from_numbers(const Json& values) {
  Row row;
  row.reserve(values.size());
  for (const Json& value : values) {
    if (!value.is_number()) return std::nullopt;
    const auto number = value.get<double>();
    const bool fits = std::abs(number) <= std::numeric_limits<float>::max();
    row.push_back(fits ? static_cast<float>(number) : std::numeric_limits<float>::infinity());
  }
  return row;
}

std::optional<Row> from_base64(std::string_view text) {
  std::vector<unsigned char> bytes(text.size() / 4 * 3 + 3);
  std::size_t length = 0;
  const char* end = nullptr;
  const int code = sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr,
                                     &length, &end, sodium_base64_VARIANT_ORIGINAL);
  if (code != 0 || end != text.data() + text.size() || length % 4 != 0) return std::nullopt;
  Row row;
  row.reserve(length / 4);
  for (std::size_t i = 0; i < length; i += 4) {
    std::uint32_t bits = 0;
    for (std::size_t byte = 4; byte-- > 0;) bits = bits << 8 | bytes[i + byte];
    row.push_back(std::bit_cast<float>(bits));
  }
  return row;
}

tl::expected<Row, std::string> row_of(const Json& entry) {
  const auto wrong = [](std::string words) { return tl::unexpected(std::move(words)); };
  const auto found = entry.find("embedding");
  if (found == entry.end()) return wrong("its row has no \"embedding\"");
  const auto row = found->is_array()    ? from_numbers(*found)
                   : found->is_string() ? from_base64(found->get<std::string>())
                                        : std::nullopt;
  if (!row) {
    return wrong(fmt::format("its embedding is neither numbers nor base64 of floats: {}",
                             one_line(to_text(*found), 60)));
  }
  if (row->empty()) return wrong("its embedding is empty");
  for (std::size_t i = 0; i < row->size(); ++i) {
    if (!std::isfinite((*row)[i])) {
      return wrong(fmt::format("number {} of its embedding is not finite", i + 1));
    }
  }
  return *row;
}

// The place that an entry names; `otherwise` where no entry of the reply names one.
std::optional<std::size_t> place_of(const Json& entry, std::optional<std::size_t> otherwise,
                                    std::size_t texts) {
  if (otherwise) return otherwise;
  const auto found = entry.find("index");
  if (found == entry.end() || !found->is_number_unsigned()) return std::nullopt;
  const auto place = found->get<std::uint64_t>();
  return place < texts ? std::optional<std::size_t>(place) : std::nullopt;
}

bool names_no_places(const Json& data) {
  for (const Json& entry : data) {
    if (entry.is_object() && entry.contains("index")) return false;
  }
  return true;
}

}  // namespace

tl::expected<std::vector<std::vector<float>>, ReplyFault> read_embeddings(const Json& body,
                                                                          std::size_t texts) {
  if (!body.is_object() || !body.contains("data") || !body["data"].is_array()) {
    return fault(0, fmt::format("the answer holds no list \"data\" of embeddings: {}",
                                one_line(to_text(body), 80)));
  }
  const Json& data = body["data"];
  const bool in_order = names_no_places(data);
  std::vector<Row> rows(texts);
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto place = place_of(data[i], in_order ? std::optional(i) : std::nullopt, texts);
    if (!data[i].is_object() || !place || *place >= texts) {
      return fault(0, fmt::format("row {} of the answer belongs to none of the {} texts: {}", i + 1,
                                  texts, one_line(to_text(data[i]), 60)));
    }
    if (!rows[*place].empty()) return fault(*place, "the answer has two rows of it");
    auto row = row_of(data[i]);
    if (!row) return fault(*place, row.error());
    rows[*place] = std::move(*row);
  }
  for (std::size_t place = 0; place < texts; ++place) {
    if (rows[place].empty()) {
      return fault(place, fmt::format("the answer lacks its row ({} rows for {} texts)",
                                      data.size(), texts));
    }
  }
  return rows;
}

}  // namespace plumb::raters
