// tokenizer.json of any bytes: it is refused with a reason, or what it describes encodes and
// decodes without harm.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "plumb/text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto tokenizer =
      plumb::parse_tokenizer_json({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!tokenizer) {
    if (tokenizer.error().message.empty()) std::abort();
    return 0;
  }
  constexpr std::string_view kText = "The wall e\u0301 \xff\xc3 \u5899 12 <s> don't\n  \u2581x";
  const auto encoding = tokenizer->encode(kText);
  if (!encoding) return 0;
  if (encoding->ids.size() != encoding->offsets.size()) std::abort();
  for (const plumb::ByteRange range : encoding->offsets) {
    if (range.begin > range.end || range.end > kText.size()) std::abort();
  }
  (void)tokenizer->decode(encoding->ids);  // may fail on the limits of a pattern
  return 0;
}
