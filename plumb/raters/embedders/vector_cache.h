// Embeddings kept on disk, so that a text is sent to a server or through a network only once, and a
// run that was stopped goes on where it was.
//
// Who uses it: remote embedders and neural encoders. The file only grows. Every record carries
// checksums: one that is damaged, or was cut short by a crash, is not found, so that it is computed
// again and appended anew; what follows it is still found. Several processes and threads may use
// one file: they append under a lock, and each sees what the others had written when it opened the
// file or last wrote itself.
//
//   PLUMB_TRY(cache, VectorCache::open(folder / "vectors.cache"));
//   const CacheKey key = cache_key("server/model", "query: ", text);
//   if (const auto vector = cache->find(key)) return *vector;
//   ...
//   if (auto kept = cache->insert(key, computed); !kept) return tl::unexpected(kept.error());
//   return cache->flush();
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "plumb/base/hash.h"
#include "plumb/base/result.h"

namespace plumb::raters {

// What a vector depends on, as one SHA-256. Where a vector depends on more (a revision, a
// truncation, a wanted dimension), put it into `model`.
using CacheKey = Sha256::Digest;
CacheKey cache_key(std::string_view model, std::string_view prompt, std::string_view text);

class VectorCache {
 public:
  // A missing file, and its folder, are made. Reads the heads of all records: 56 bytes each are
  // read, and about 80 bytes of memory each are kept. kBadInput: the file is something else. Else
  // see file_error().
  static Result<std::unique_ptr<VectorCache>> open(const std::filesystem::path& path);

  // Writes what was inserted, but can tell nobody if that fails: call flush() first.
  ~VectorCache();
  VectorCache(const VectorCache&) = delete;
  VectorCache& operator=(const VectorCache&) = delete;

  // The vector that was inserted last under the key. Nothing: there is none, or it is damaged.
  std::optional<std::vector<float>> find(const CacheKey& key);

  // Found at once; on disk at the next flush(), or when a mebibyte has gathered. kBadInput: the
  // vector is empty, has over 2^20 numbers, or one that is not finite. Else see file_error().
  Result<void> insert(const CacheKey& key, std::span<const float> vector);

  // On return all that was inserted is on the disk, even if the power fails. After an error it is
  // still found, and the next flush() tries again.
  Result<void> flush();

  // How many keys there are, and how many damaged records were met so far.
  std::size_t size() const;
  std::size_t damaged() const;

 private:
  struct State;
  explicit VectorCache(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace plumb::raters
