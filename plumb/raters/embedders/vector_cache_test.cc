#include "plumb/raters/embedders/vector_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <thread>

#include "plumb/base/files.h"

namespace plumb::raters {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFileHead = 16, kRecordHead = 56;

// A path in a folder of the test's own, with nothing there.
fs::path fresh(const std::string& name) {
  const fs::path path =
      fs::path(testing::TempDir()) / fmt::format("plumb_cache_{}", ::getpid()) / name;
  fs::remove(path);
  return path;
}

CacheKey key_of(std::size_t i) { return cache_key("model", "", fmt::format("text {}", i)); }

std::vector<float> vector_of(std::size_t i, std::size_t dimension = 3) {
  std::vector<float> values(dimension);
  for (std::size_t d = 0; d < dimension; ++d)
    values[d] = static_cast<float>(i) + 0.5F * static_cast<float>(d);
  return values;
}

std::unique_ptr<VectorCache> open_cache(const fs::path& path) {
  auto cache = VectorCache::open(path);
  EXPECT_TRUE(cache) << cache.error().message;
  return std::move(*cache);
}

// Records 0 .. count - 1, all on disk.
void fill(const fs::path& path, std::size_t count, std::size_t from = 0) {
  auto cache = open_cache(path);
  for (std::size_t i = from; i < from + count; ++i) {
    ASSERT_TRUE(cache->insert(key_of(i), vector_of(i)));
  }
  ASSERT_TRUE(cache->flush());
}

void overwrite(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

TEST(CacheKey, TellsModelPromptAndTextApart) {
  EXPECT_EQ(cache_key("a", "b", "c"), cache_key("a", "b", "c"));
  EXPECT_NE(cache_key("a", "b", "c"), cache_key("ab", "", "c"));
  EXPECT_NE(cache_key("a", "b", "c"), cache_key("a", "", "bc"));
  EXPECT_NE(cache_key("a", "b", "c"), cache_key("b", "a", "c"));
  EXPECT_NE(cache_key("1:a", "", ""), cache_key("1", "a", ""));
}

TEST(VectorCache, FindsWhatWasInsertedAtOnceAndAfterOpeningAgain) {
  const fs::path path = fresh("again");
  {
    auto cache = open_cache(path);
    EXPECT_FALSE(cache->find(key_of(1)));
    ASSERT_TRUE(cache->insert(key_of(1), vector_of(1)));
    EXPECT_EQ(cache->find(key_of(1)), vector_of(1));
    EXPECT_EQ(cache->size(), 1U);
    ASSERT_TRUE(cache->flush());
    EXPECT_EQ(cache->find(key_of(1)), vector_of(1));
    ASSERT_TRUE(cache->insert(key_of(2), vector_of(2, 7)));  // written by the destructor
  }
  auto cache = open_cache(path);
  EXPECT_EQ(cache->size(), 2U);
  EXPECT_EQ(cache->find(key_of(1)), vector_of(1));
  EXPECT_EQ(cache->find(key_of(2)), vector_of(2, 7));
  EXPECT_FALSE(cache->find(key_of(3)));
  EXPECT_EQ(cache->damaged(), 0U);
}

TEST(VectorCache, MakesItsFolder) {
  const fs::path path = fs::path(testing::TempDir()) / fmt::format("made_{}", ::getpid()) / "a/b";
  fill(path, 1);
  EXPECT_TRUE(fs::exists(path));
}

TEST(VectorCache, KeepsTheLastOfTwoUnderOneKey) {
  const fs::path path = fresh("last");
  fill(path, 1);
  auto cache = open_cache(path);
  ASSERT_TRUE(cache->insert(key_of(0), vector_of(9)));
  EXPECT_EQ(cache->find(key_of(0)), vector_of(9));
  EXPECT_EQ(cache->size(), 1U);
  ASSERT_TRUE(cache->flush());
  EXPECT_EQ(open_cache(path)->find(key_of(0)), vector_of(9));
}

TEST(VectorCache, WritesByItselfWhenMuchHasGathered) {
  const fs::path path = fresh("much");
  auto cache = open_cache(path);
  ASSERT_TRUE(cache->insert(key_of(0), std::vector<float>(1 << 18, 1.5F)));
  EXPECT_GT(fs::file_size(path), std::size_t{1} << 20);
}

TEST(VectorCache, RefusesWhatIsNoVector) {
  auto cache = open_cache(fresh("refused"));
  const float nan = std::nanf(""), infinite = std::numeric_limits<float>::infinity();
  for (const std::vector<float>& bad :
       {std::vector<float>{}, {1, nan}, {infinite}, std::vector<float>((1 << 20) + 1)}) {
    const auto inserted = cache->insert(key_of(0), bad);
    ASSERT_FALSE(inserted);
    EXPECT_EQ(inserted.error().kind, ErrorKind::kBadInput);
  }
  EXPECT_FALSE(cache->find(key_of(0)));
}

TEST(VectorCache, LeavesAFileOfSomethingElseAlone) {
  const fs::path path = fresh("notes.txt");
  for (const std::string content : {"my notes of the last year", "p", "plumb.vectors/2\n....."}) {
    fs::create_directories(path.parent_path());
    overwrite(path, content);
    auto cache = VectorCache::open(path);
    if (content == "p") {  // as far as a process came that died: it is the start of a cache
      EXPECT_TRUE(cache);
      continue;
    }
    ASSERT_FALSE(cache);
    EXPECT_EQ(cache.error().kind, ErrorKind::kBadInput);
    EXPECT_TRUE(cache.error().message.starts_with(path.string()));
    EXPECT_EQ(*read_file(path), content);
  }
}

TEST(VectorCache, SaysThatAFolderIsNoFile) {
  const auto cache = VectorCache::open(testing::TempDir());
  ASSERT_FALSE(cache);
  EXPECT_EQ(cache.error().kind, ErrorKind::kBadInput);
}

// Whichever byte is damaged, a vector is the one that was written or is not found; no other record
// suffers; and what is inserted again is found again, now and later.
TEST(VectorCache, NeverTrustsADamagedByte) {
  const fs::path path = fresh("damaged");
  fill(path, 4);
  const std::string sound = *read_file(path);
  const std::size_t record = kRecordHead + 3 * sizeof(float);
  ASSERT_EQ(sound.size(), kFileHead + 4 * record);
  for (std::size_t byte = kFileHead; byte < sound.size(); ++byte) {
    std::string damaged = sound;
    damaged[byte] = static_cast<char>(damaged[byte] ^ 0x10);
    overwrite(path, damaged);
    const std::size_t hit = (byte - kFileHead) / record;
    auto cache = open_cache(path);
    for (std::size_t i = 0; i < 4; ++i) {
      if (i != hit) {
        ASSERT_EQ(cache->find(key_of(i)), vector_of(i)) << byte;
      }
    }
    ASSERT_FALSE(cache->find(key_of(hit))) << byte;
    ASSERT_TRUE(cache->insert(key_of(hit), vector_of(hit)));
    ASSERT_TRUE(cache->flush());
    ASSERT_EQ(cache->damaged(), 1U) << byte;
    ASSERT_EQ(cache->find(key_of(hit)), vector_of(hit)) << byte;
    auto later = open_cache(path);
    for (std::size_t i = 0; i < 4; ++i) ASSERT_EQ(later->find(key_of(i)), vector_of(i)) << byte;
  }
}

TEST(VectorCache, LosesOnlyTheRecordThatWasCutShort) {
  const fs::path path = fresh("cut");
  fill(path, 2);
  const std::string sound = *read_file(path);
  const std::size_t second = kFileHead + kRecordHead + 3 * sizeof(float);
  for (std::size_t size = 0; size < sound.size(); ++size) {
    overwrite(path, sound.substr(0, size));
    {
      auto cache = open_cache(path);
      ASSERT_EQ(cache->find(key_of(0)).has_value(), size >= second) << size;
      ASSERT_FALSE(cache->find(key_of(1))) << size;
      ASSERT_TRUE(cache->insert(key_of(5), vector_of(5)));
      ASSERT_TRUE(cache->flush());
    }
    auto cache = open_cache(path);
    ASSERT_EQ(cache->find(key_of(5)), vector_of(5)) << size;
    ASSERT_EQ(cache->find(key_of(0)).has_value(), size >= second) << size;
    ASSERT_EQ(cache->damaged(), 0U) << size;
  }
}

RC_GTEST_PROP(VectorCache, GivesNoVectorThatWasNotWritten, ()) {
  const fs::path path = fresh("property");
  fill(path, 6);
  std::string bytes = *read_file(path);
  const auto changes = *rc::gen::container<std::map<std::size_t, char>>(
      rc::gen::inRange(kFileHead, bytes.size()), rc::gen::arbitrary<char>());
  for (const auto& [place, byte] : changes) bytes[place] = byte;
  const auto cut = *rc::gen::inRange<std::size_t>(0, 40);
  bytes.resize(bytes.size() - cut);
  overwrite(path, bytes);
  auto cache = open_cache(path);
  for (std::size_t i = 0; i < 6; ++i) {
    const auto found = cache->find(key_of(i));
    RC_ASSERT(found.value_or(vector_of(i)) == vector_of(i));
    if (!found && !cache->insert(key_of(i), vector_of(i))) RC_FAIL("not inserted");
  }
  RC_ASSERT(cache->flush().has_value());
  auto later = open_cache(path);
  for (std::size_t i = 0; i < 6; ++i) RC_ASSERT(later->find(key_of(i)) == vector_of(i));
}

TEST(VectorCache, SeesWhatAnotherWroteWhenItWritesItself) {
  const fs::path path = fresh("two");
  auto one = open_cache(path), other = open_cache(path);
  ASSERT_TRUE(one->insert(key_of(1), vector_of(1)));
  ASSERT_TRUE(one->flush());
  EXPECT_FALSE(other->find(key_of(1)));
  ASSERT_TRUE(other->insert(key_of(2), vector_of(2)));
  ASSERT_TRUE(other->flush());
  EXPECT_EQ(other->find(key_of(1)), vector_of(1));
  EXPECT_EQ(other->find(key_of(2)), vector_of(2));
}

TEST(VectorCache, StartsAnewWhereTheFileIsEmptiedUnderIt) {
  const fs::path path = fresh("emptied");
  fill(path, 3);
  auto cache = open_cache(path);
  fs::resize_file(path, 0);
  EXPECT_FALSE(cache->find(key_of(0)));
  ASSERT_TRUE(cache->insert(key_of(0), vector_of(0)));
  ASSERT_TRUE(cache->flush());
  EXPECT_EQ(cache->find(key_of(0)), vector_of(0));
  EXPECT_FALSE(cache->find(key_of(1)));
  EXPECT_EQ(open_cache(path)->find(key_of(0)), vector_of(0));
}

TEST(VectorCache, IsSharedByThreads) {
  const fs::path path = fresh("threads");
  auto cache = open_cache(path);
  const auto work = [&](std::size_t from) {
    for (std::size_t i = from; i < from + 500; ++i) {
      EXPECT_TRUE(cache->insert(key_of(i), vector_of(i, 200)));
      EXPECT_EQ(cache->find(key_of(i)), vector_of(i, 200));
      if (i % 100 == 0) {
        EXPECT_TRUE(cache->flush());
      }
    }
  };
  std::thread first(work, 0), second(work, 400);
  first.join();
  second.join();
  ASSERT_TRUE(cache->flush());
  auto later = open_cache(path);
  EXPECT_EQ(later->size(), 900U);
  for (std::size_t i = 0; i < 900; ++i) EXPECT_EQ(later->find(key_of(i)), vector_of(i, 200));
  EXPECT_EQ(later->damaged(), 0U);
}

TEST(VectorCache, IsSharedByProcesses) {
  const fs::path path = fresh("processes");
  std::vector<pid_t> children;
  for (std::size_t child = 0; child < 3; ++child) {
    const pid_t id = ::fork();
    if (id == 0) {
      bool good = true;
      auto cache = VectorCache::open(path);
      for (std::size_t i = 0; good && cache && i < 300; ++i) {
        good = (*cache)->insert(key_of(1000 * child + i), vector_of(i)).has_value();
        if (i % 7 == 0) good = good && (*cache)->flush().has_value();
      }
      good = good && cache && (*cache)->flush().has_value();
      ::_exit(good ? 0 : 1);
    }
    children.push_back(id);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  auto cache = open_cache(path);
  EXPECT_EQ(cache->size(), 900U);
  EXPECT_EQ(cache->damaged(), 0U);
  for (std::size_t child = 0; child < 3; ++child) {
    for (std::size_t i = 0; i < 300; ++i) {
      ASSERT_EQ(cache->find(key_of(1000 * child + i)), vector_of(i));
    }
  }
}

// A writer that is killed at any moment leaves a file that the next one reads and goes on with.
TEST(VectorCache, SurvivesAKilledWriter) {
  const fs::path path = fresh("killed");
  for (int round = 0; round < 10; ++round) {
    const pid_t id = ::fork();
    if (id == 0) {
      auto cache = VectorCache::open(path);
      for (std::size_t i = 0; cache; ++i) {
        (void)(*cache)->insert(key_of(i % 50), vector_of(i % 50, 5000));
      }
      ::_exit(1);
    }
    ::usleep(20000);
    ::kill(id, SIGKILL);
    int status = 0;
    ::waitpid(id, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    auto cache = open_cache(path);
    for (std::size_t i = 0; i < 50; ++i) {
      const auto found = cache->find(key_of(i));
      EXPECT_TRUE(!found || *found == vector_of(i, 5000) || *found == vector_of(i));
    }
    ASSERT_TRUE(cache->insert(key_of(0), vector_of(0)));
    ASSERT_TRUE(cache->flush());
    EXPECT_EQ(open_cache(path)->find(key_of(0)), vector_of(0));
    fs::resize_file(path, std::min<std::uintmax_t>(fs::file_size(path), 3 << 20));
  }
}

// A full disk, by a limit on the size of files in a process of its own.
TEST(VectorCache, KeepsWhatCouldNotBeWritten) {
  const fs::path path = fresh("full");
  const pid_t id = ::fork();
  if (id == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    auto cache = VectorCache::open(path);
    if (!cache || !(*cache)->insert(key_of(0), vector_of(0)) || !(*cache)->flush()) ::_exit(1);
    const rlimit limit{fs::file_size(path) + 100, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    for (std::size_t i = 1; i < 3; ++i) {
      if (!(*cache)->insert(key_of(i), vector_of(i))) ::_exit(2);
    }
    if ((*cache)->flush()) ::_exit(3);
    if (fs::file_size(path) != limit.rlim_cur - 100) ::_exit(4);
    for (std::size_t i = 0; i < 3; ++i) {
      if ((*cache)->find(key_of(i)) != vector_of(i)) ::_exit(5);
    }
    const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &none);
    ::_exit((*cache)->flush() ? 0 : 6);
  }
  int status = 0;
  ::waitpid(id, &status, 0);
  ASSERT_EQ(WEXITSTATUS(status), 0);
  auto cache = open_cache(path);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(cache->find(key_of(i)), vector_of(i));
  EXPECT_EQ(cache->damaged(), 0U);
}

}  // namespace
}  // namespace plumb::raters
