// Storage that a test breaks: an SQLite VFS over the system's that writes down what happens to
// every file, and that can run out of space or fail to sync.
//
//   RecordingVfs vfs;                                   // registered under vfs.name()
//   ... work on a database that is opened with it, vfs.acknowledge(..) in between ...
//   write_image(vfs.events(), position, Loss::kDrop, stream, folder);   // what a power cut leaves
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "plumb/base/random.h"

namespace plumb::study::testing {

struct DiskEvent {
  enum class What { kWrite, kTruncate, kSync, kDelete, kAcknowledge };
  What what;
  std::string file;         // its name; of an acknowledgement what was acknowledged
  std::int64_t offset = 0;  // of a write; of a truncation the new size
  std::string bytes = {};
};

class RecordingVfs {
 public:
  RecordingVfs() : system_(sqlite3_vfs_find(nullptr)) {
    static std::atomic<int> made{0};
    name_ = fmt::format("recording {}", made++);
    vfs_ = *system_;
    vfs_.zName = name_.c_str();
    vfs_.pAppData = this;
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + system_->szOsFile;
    vfs_.xOpen = open;
    vfs_.xDelete = remove;
    sqlite3_vfs_register(&vfs_, 0);
  }
  ~RecordingVfs() { sqlite3_vfs_unregister(&vfs_); }
  RecordingVfs(const RecordingVfs&) = delete;
  RecordingVfs& operator=(const RecordingVfs&) = delete;

  const std::string& name() const { return name_; }

  // Only while nothing is being written.
  const std::vector<DiskEvent>& events() const { return events_; }

  void acknowledge(std::string what) { record({DiskEvent::What::kAcknowledge, std::move(what)}); }

  // How many writes, or syncs, still succeed; negative: all of them.
  std::atomic<std::int64_t> writes_left{-1}, syncs_left{-1};

 private:
  struct File {
    sqlite3_file base;
    RecordingVfs* vfs;
    const char* name;
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };

  static File* file_of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
  static sqlite3_file* real(sqlite3_file* file) { return file_of(file)->real(); }

  void record(DiskEvent event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }

  static bool used_up(std::atomic<std::int64_t>& left) {
    std::int64_t now = left.load();
    while (now > 0 && !left.compare_exchange_weak(now, now - 1)) {
    }
    return now == 0;
  }

  static std::string base_name(const char* path) {
    return std::filesystem::path(path).filename().string();
  }

  static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out) {
    auto* self = static_cast<RecordingVfs*>(vfs->pAppData);
    File* made = file_of(file);
    made->vfs = self;
    made->name = path;
    const int code = self->system_->xOpen(self->system_, path, made->real(), flags, out);
    file->pMethods = made->real()->pMethods != nullptr ? methods() : nullptr;
    return code;
  }

  static int remove(sqlite3_vfs* vfs, const char* path, int sync) {
    auto* self = static_cast<RecordingVfs*>(vfs->pAppData);
    self->record({DiskEvent::What::kDelete, base_name(path)});
    return self->system_->xDelete(self->system_, path, sync);
  }

  static int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
    File* self = file_of(file);
    if (used_up(self->vfs->writes_left)) return SQLITE_FULL;
    if (self->name != nullptr) {
      self->vfs->record(
          {DiskEvent::What::kWrite, base_name(self->name), offset,
           std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(count))});
    }
    return real(file)->pMethods->xWrite(real(file), bytes, count, offset);
  }

  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    File* self = file_of(file);
    if (self->name != nullptr) {
      self->vfs->record({DiskEvent::What::kTruncate, base_name(self->name), size});
    }
    return real(file)->pMethods->xTruncate(real(file), size);
  }

  static int sync(sqlite3_file* file, int flags) {
    File* self = file_of(file);
    if (used_up(self->vfs->syncs_left)) return SQLITE_IOERR_FSYNC;
    const int code = real(file)->pMethods->xSync(real(file), flags);
    if (code == SQLITE_OK && self->name != nullptr) {
      self->vfs->record({DiskEvent::What::kSync, base_name(self->name)});
    }
    return code;
  }

  static const sqlite3_io_methods* methods() {
    static const sqlite3_io_methods made = [] {
      sqlite3_io_methods m{};
      m.iVersion = 2;  // with shared memory, without mapped files
      m.xClose = [](sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); };
      m.xRead = [](sqlite3_file* f, void* to, int count, sqlite3_int64 offset) {
        return real(f)->pMethods->xRead(real(f), to, count, offset);
      };
      m.xWrite = write;
      m.xTruncate = truncate;
      m.xSync = sync;
      m.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
        return real(f)->pMethods->xFileSize(real(f), size);
      };
      m.xLock = [](sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); };
      m.xUnlock = [](sqlite3_file* f, int level) {
        return real(f)->pMethods->xUnlock(real(f), level);
      };
      m.xCheckReservedLock = [](sqlite3_file* f, int* out) {
        return real(f)->pMethods->xCheckReservedLock(real(f), out);
      };
      m.xFileControl = [](sqlite3_file* f, int what, void* with) {
        return real(f)->pMethods->xFileControl(real(f), what, with);
      };
      m.xSectorSize = [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); };
      m.xDeviceCharacteristics = [](sqlite3_file* f) {
        return real(f)->pMethods->xDeviceCharacteristics(real(f));
      };
      m.xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** to) {
        return real(f)->pMethods->xShmMap(real(f), page, size, extend, to);
      };
      m.xShmLock = [](sqlite3_file* f, int offset, int count, int flags) {
        return real(f)->pMethods->xShmLock(real(f), offset, count, flags);
      };
      m.xShmBarrier = [](sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); };
      m.xShmUnmap = [](sqlite3_file* f, int remove_it) {
        return real(f)->pMethods->xShmUnmap(real(f), remove_it);
      };
      return m;
    }();
    return &made;
  }

  sqlite3_vfs* system_;
  sqlite3_vfs vfs_{};
  std::string name_;
  std::mutex mutex_;
  std::vector<DiskEvent> events_;
};

// What becomes of writes that were never synced.
enum class Loss {
  kDrop,    // all are lost
  kPrefix,  // the first few of each file arrived
  kSubset,  // some arrived, whatever their order
  kTear,    // all but the last arrived, and of that a few sectors
};
inline constexpr Loss kLosses[] = {Loss::kDrop, Loss::kPrefix, Loss::kSubset, Loss::kTear};

// One file of a disk that loses its power.
class DiskFile {
 public:
  void take(const DiskEvent& event) {
    if (event.what == DiskEvent::What::kSync) {
      for (const DiskEvent* waiting : waiting_) apply(*waiting, waiting->bytes.size());
      waiting_.clear();
      synced_ = true;
    } else {
      waiting_.push_back(&event);
    }
  }

  void lose_power(Loss loss, Stream& stream) {
    const std::size_t kept = loss == Loss::kPrefix ? stream.below(waiting_.size() + 1)
                             : loss == Loss::kDrop ? 0
                                                   : waiting_.size();
    for (std::size_t i = 0; i < kept; ++i) {
      const DiskEvent& event = *waiting_[i];
      if (loss == Loss::kSubset && stream.below(2) == 0) continue;
      const bool torn = loss == Loss::kTear && i + 1 == kept;
      const std::size_t sectors = event.bytes.size() / 512;
      apply(event, torn ? 512 * stream.below(sectors + 1) : event.bytes.size());
      synced_ = true;
    }
    waiting_.clear();
  }

  bool exists() const { return synced_; }
  const std::string& bytes() const { return bytes_; }

 private:
  void apply(const DiskEvent& event, std::size_t count) {
    const auto offset = static_cast<std::size_t>(event.offset);
    if (event.what == DiskEvent::What::kTruncate) {
      bytes_.resize(offset);
      return;
    }
    bytes_.resize(std::max(bytes_.size(), offset + count));
    std::copy_n(event.bytes.data(), count, bytes_.data() + offset);
  }

  std::string bytes_;
  std::vector<const DiskEvent*> waiting_;
  bool synced_ = false;  // a file that was never synced is not in its folder
};

// The files as they are found after a power cut right before event `position`.
inline void write_image(std::span<const DiskEvent> events, Loss loss, Stream& stream,
                        const std::filesystem::path& folder) {
  std::map<std::string, DiskFile> files;
  for (const DiskEvent& event : events) {
    if (event.what == DiskEvent::What::kDelete) {
      files.erase(event.file);
    } else if (event.what != DiskEvent::What::kAcknowledge) {
      files[event.file].take(event);
    }
  }
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  for (auto& [name, file] : files) {
    file.lose_power(loss, stream);
    if (file.exists()) std::ofstream(folder / name, std::ios::binary) << file.bytes();
  }
}

}  // namespace plumb::study::testing
