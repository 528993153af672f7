#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>

#include "plumb/base/json.h"
#include "plumb/lm/documents.h"
#include "plumb/lm/evaluate.h"
#include "plumb/lm/packing.h"
#include "plumb/lm/testing.h"
#include "plumb/lm/train.h"
#include "plumb/nn/generator.h"

namespace plumb::lm {
namespace {

namespace fs = std::filesystem;

class Documents : public LanguageModelTest {};

TEST_F(Documents, StandBetweenBlankLines) {
  write("texts.txt", "\n \nOne.\nStill one.\r\n\n\n\tTwo\n   \nThree: caf\xc3\xa9");
  const auto documents = read_documents(folder_ / "texts.txt");
  ASSERT_TRUE(documents) << documents.error().message;
  EXPECT_EQ(*documents,
            (std::vector<std::string>{"One.\nStill one.", "\tTwo", "Three: caf\xc3\xa9"}));
  EXPECT_EQ(characters((*documents)[2]), 11U);
}

TEST_F(Documents, OfAFileWithoutTextAreNotFound) {
  write("empty.txt", "\n  \n");
  EXPECT_EQ(read_documents(folder_ / "empty.txt").error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(read_documents(folder_ / "none.txt").error().kind, ErrorKind::kNotFound);
}

class Packing : public LanguageModelTest {
 protected:
  Result<PackedTexts> pack(const std::vector<std::string>& documents, std::size_t length,
                           TextFrame frame = {1, 2}) const {
    return PackedTexts::make(*load_tokenizer(folder_ / "tokenizer.bin"), frame, documents, length);
  }
};

TEST_F(Packing, CutsTheStreamIntoBlocksAndKeepsDocumentsApart) {
  // The stream: begin, blank and letters, end, of each document.
  auto texts = pack({"ab", "c", "defg"}, 4);
  ASSERT_TRUE(texts) << texts.error().message;
  const std::size_t tokens = texts->tokens();
  EXPECT_EQ(texts->blocks(), (tokens - 1) / 4);
  std::vector<std::int32_t> seen;
  for (std::size_t i = 0; i < texts->blocks(); ++i) {
    const Block block = texts->draw(5, i);
    ASSERT_EQ(block.tokens.size(), 4U);
    EXPECT_EQ(block.starts.front(), 0U);
    EXPECT_EQ(block.starts.back(), 4U);
    for (std::size_t t = 0; t < 4; ++t) {
      const bool starts = std::ranges::find(block.starts, t) != block.starts.end();
      const std::int32_t token = block.tokens[t], target = block.targets[t];
      EXPECT_TRUE(token != 1 || starts);
      EXPECT_TRUE(token == 2 ? target == nn::kNoTarget
                             : t + 1 == 4 || target == block.tokens[t + 1]);
    }
    seen.insert(seen.end(), block.tokens.begin(), block.tokens.end());
  }
  EXPECT_EQ(seen.size(), texts->blocks() * 4);
}

TEST_F(Packing, ShowsEveryBlockOnceAnEpochInAnOrderOfItsOwn) {
  auto texts = pack(std::vector<std::string>(40, "abcdefgh"), 8);
  ASSERT_TRUE(texts);
  std::vector<std::vector<std::int32_t>> epochs[2];
  for (std::size_t i = 0; i < 2 * texts->blocks(); ++i) {
    epochs[i / texts->blocks()].push_back(texts->draw(5, i).tokens);
  }
  EXPECT_NE(epochs[0], epochs[1]);
  std::ranges::sort(epochs[0]);
  std::ranges::sort(epochs[1]);
  EXPECT_EQ(epochs[0], epochs[1]);
}

TEST_F(Packing, RefusesTextsThatFillNoBlock) {
  const auto texts = pack({"ab"}, 32);
  ASSERT_FALSE(texts);
  EXPECT_NE(texts.error().message.find("fewer than one block of 33"), std::string::npos);
}

class Loading : public LanguageModelTest {};

TEST_F(Loading, RefusesWhatDoesNotBelongTogether) {
  nn::TransformerConfig small = letters_config();
  small.vocabulary = 100;
  save_model(small);
  const auto misfit = load_language_model({folder_});
  ASSERT_FALSE(misfit);
  EXPECT_NE(misfit.error().message.find("the tokenizer has 286 tokens, the model"),
            std::string::npos)
      << misfit.error().message;
  small.vocabulary = 2 * kLetterTokens;
  save_model(small);
  EXPECT_TRUE(load_language_model({folder_}));
  small.vocabulary = 2 * kLetterTokens + 1;
  save_model(small);
  const auto larger = load_language_model({folder_});
  ASSERT_FALSE(larger);
  EXPECT_EQ(larger.error().kind, ErrorKind::kBadInput);
  EXPECT_NE(larger.error().message.find("the tokenizer has 286 tokens, the model " +
                                        folder_.string() + " has 573"),
            std::string::npos)
      << larger.error().message;
  fs::remove(folder_ / "tokenizer.bin");
  const auto missing = load_language_model({folder_});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound) << missing.error().message;
}

TEST_F(Loading, RefusesAModelThatWritesNoText) {
  nn::TransformerConfig encoder = letters_config();
  encoder.scalar_head = true;
  encoder.language_head = false;
  save_model(encoder);
  const auto model = load_language_model({folder_});
  ASSERT_FALSE(model);
  EXPECT_NE(model.error().message.find("writes no text"), std::string::npos);
}

class Evaluating : public LanguageModelTest {};

TEST_F(Evaluating, AddsUpWhatEachTokenCosts) {
  save_model();
  const auto model = load_language_model({folder_});
  ASSERT_TRUE(model) << model.error().message;
  const std::vector<std::string> documents = {"tom saw a ball", "mia", "it was fun"};
  const auto result = evaluate(*model, documents, {.resamples = 200, .threads = 1});
  ASSERT_TRUE(result) << result.error().message;
  double nats = 0;
  std::size_t tokens = 0;
  for (const std::string& document : documents) {
    const auto ids = *model->encode(document);
    const std::vector<std::int32_t> in(ids.begin(), ids.end() - 1);
    const auto logits = nn::Generator(model->transformer).logits(in);
    for (std::size_t t = 0; t < in.size(); ++t, ++tokens) {
      double sum = 0;
      const float* row = logits.data() + t * kLetterTokens;
      for (std::size_t i = 0; i < kLetterTokens; ++i) sum += std::exp(static_cast<double>(row[i]));
      nats += std::log(sum) - static_cast<double>(row[ids[t + 1]]);
    }
  }
  EXPECT_EQ(result->tokens, tokens);
  EXPECT_EQ(result->characters, 27U);
  EXPECT_EQ(result->beyond_context, 0U);
  EXPECT_NEAR(*result->nats_per_token, nats / static_cast<double>(tokens), 1e-5);
  EXPECT_NEAR(*result->nats_per_character, nats / 27, 1e-5);
  EXPECT_LT(result->nats_per_token_ci->low, *result->nats_per_token);
  EXPECT_GT(result->nats_per_token_ci->high, *result->nats_per_token);
}

TEST_F(Evaluating, IsTheSameWithAnyNumberOfThreadsAndReadsLongTextsInWindows) {
  save_model();
  const auto model = load_language_model({folder_});
  std::vector<std::string> documents(1, std::string(150, 'a') + " tom");
  for (int i = 0; i < 40; ++i) documents.push_back("mia saw the cat");
  const auto one = evaluate(*model, documents, {.resamples = 100, .threads = 1});
  const auto two = evaluate(*model, documents, {.resamples = 100, .threads = 2});
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->nats, two->nats);
  EXPECT_EQ(one->beyond_context, 1U);
  EXPECT_EQ(one->tokens, two->tokens);
  EXPECT_GT(one->tokens, 150U + 40 * 15);
}

class Training : public LanguageModelTest {
 protected:
  TrainOptions options(const std::string& run) const {
    TrainOptions result;
    result.files = {folder_ / "texts.txt"};
    result.run = folder_ / run;
    result.steps = 12;
    result.batch = 4;
    result.save_every = 5;
    result.schedule.warmup = 3;
    result.schedule.rate = 0.01F;
    result.threads = 1;
    return result;
  }
  Result<TrainReport> run(const TrainOptions& options) const {
    const auto start = []() -> Result<nn::Transformer> {
      nn::Transformer model(letters_config());
      nn::initialise(model, 1);
      return model;
    };
    return train(start, *load_tokenizer(folder_ / "tokenizer.bin"), folder_ / "tokenizer.bin",
                 options);
  }
  std::string weights(const std::string& name) const {
    return *read_file(folder_ / name / "model" / "model.safetensors");
  }
};

TEST_F(Training, TakenUpAfterAKillGivesTheBytesOfARunThatWasNot) {
  write("texts.txt", stories(60));
  const auto whole = run(options("whole"));
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_TRUE(whole->finished);
  EXPECT_LT(whole->last_loss, whole->first_loss);
  for (const std::size_t kill : {3UL, 5UL, 8UL}) {
    const std::string name = fmt::format("killed{}", kill);
    TrainOptions killed = options(name);
    killed.stop_after = kill;
    const auto part = run(killed);
    ASSERT_TRUE(part) << part.error().message;
    EXPECT_FALSE(part->finished);
    TrainOptions again = options(name);
    again.threads = 2;
    const auto rest = run(again);
    ASSERT_TRUE(rest) << rest.error().message;
    EXPECT_EQ(rest->resumed_from, kill / 5 * 5);
    EXPECT_EQ(weights(name), weights("whole"));
    EXPECT_EQ(*read_file(folder_ / name / "events.jsonl"),
              *read_file(folder_ / "whole" / "events.jsonl"));
  }
  const auto model = load_language_model({folder_ / "whole" / "model"});
  EXPECT_TRUE(model) << model.error().message;
}

TEST_F(Training, RefusesTheFolderOfAnotherRun) {
  write("texts.txt", stories(60));
  TrainOptions first = options("run");
  first.stop_after = 1;
  ASSERT_TRUE(run(first));
  TrainOptions second = options("run");
  second.seed = 7;
  const auto refused = run(second);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kBusy);
  EXPECT_NE(refused.error().message.find("its seed is 0, not 7"), std::string::npos)
      << refused.error().message;
  write("texts.txt", stories(61));
  EXPECT_NE(run(options("run")).error().message.find("texts_sha256"), std::string::npos);
}

TEST_F(Training, LeavesFilesAloneThatAreNoRun) {
  write("texts.txt", stories(60));
  std::filesystem::create_directories(folder_ / "mine" / "model");
  write("mine/model/model.safetensors", "weights of somebody");
  const auto refused = run(options("mine"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kBusy);
  EXPECT_NE(refused.error().message.find("model/model.safetensors"), std::string::npos);
  EXPECT_EQ(*read_file(folder_ / "mine/model/model.safetensors"), "weights of somebody");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "mine/manifest.json"));
}

TEST_F(Training, TakesAFolderOfARunThatWasKilledBeforeItsManifest) {
  write("texts.txt", stories(60));
  std::filesystem::create_directories(folder_ / "run" / "model");
  write("run/manifest.json.a1B2c3", "{");
  TrainOptions one = options("run");
  one.stop_after = 1;
  EXPECT_TRUE(run(one));
}

TEST_F(Training, RefusesADamagedState) {
  write("texts.txt", stories(60));
  TrainOptions part = options("run");
  part.stop_after = 6;
  ASSERT_TRUE(run(part));
  const std::string state = *read_file(folder_ / "run" / "state.safetensors");
  write("run/state.safetensors", state.substr(0, state.size() / 2));
  const auto cut = run(options("run"));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().kind, ErrorKind::kBadInput);
  EXPECT_NE(cut.error().message.find("state.safetensors: tensor"), std::string::npos)
      << cut.error().message;
}

TEST_F(Training, KeepsTheLastStateWhereTheDiskIsFull) {
  write("texts.txt", stories(60));
  TrainOptions part = options("run");
  part.stop_after = 6;
  ASSERT_TRUE(run(part));
  const std::string state = *read_file(folder_ / "run" / "state.safetensors");
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const rlimit limit{16384, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &limit);
  const auto full = run(options("run"));
  setrlimit(RLIMIT_FSIZE, &old);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().kind, ErrorKind::kExhausted) << full.error().message;
  EXPECT_EQ(*read_file(folder_ / "run" / "state.safetensors"), state);
  EXPECT_TRUE(run(options("run")));
}

TEST_F(Training, SaysThatItDiverged) {
  write("texts.txt", stories(60));
  TrainOptions wild = options("run");
  wild.schedule.rate = 1e30F;
  wild.schedule.warmup = 0;
  wild.adam.decay = 0;
  const auto diverged = run(wild);
  ASSERT_FALSE(diverged);
  EXPECT_NE(diverged.error().message.find("the training diverged"), std::string::npos);
}

// The model card's own sample of greedy text, and what 40 paragraphs cost.
const fs::path kStories = "../shared/data/models/stories260k/stories260K.bin";

TEST(Stories260k, WritesTheTextOfItsAuthorsSample) {
  if (!fs::exists(kStories)) GTEST_SKIP() << "needs " << kStories;
  const auto model = load_language_model({kStories});
  ASSERT_TRUE(model) << model.error().message;
  const std::vector<std::vector<TokenId>> prompts = {*model->encode("")};
  const auto completions =
      nn::Generator(model->transformer).generate(prompts, {.max_tokens = 256, .temperature = 0});
  const auto text = model->tokenizer.decode(completions[0].tokens);
  ASSERT_TRUE(text) << text.error().message;
  const std::string card = *read_file("../shared/data/models/stories260k/stories260K.md");
  const std::size_t begin = card.find("Once upon a time");
  const std::string sample = card.substr(begin, card.find("\n```", begin) - begin);
  EXPECT_EQ(text->substr(text->find("Once")), sample);
}

void expect_nats_per_character(const fs::path& path, double expected) {
  if (!fs::exists(path)) GTEST_SKIP() << "needs " << path;
  const auto model = load_language_model({path});
  ASSERT_TRUE(model) << model.error().message;
  auto documents = *read_documents("../shared/data/corpus/tinystories.txt");
  documents.resize(40);
  const auto result = evaluate(*model, documents, {.resamples = 100});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_NEAR(*result->nats_per_character, expected, 0.004);
}

TEST(Stories260k, CostsWhatIsKnownOfIt) { expect_nats_per_character(kStories, 0.696); }

TEST(Tinystories656k, CostsWhatIsKnownOfIt) {
  expect_nats_per_character("../shared/data/models/tinystories-656k", 0.810);
}

}  // namespace
}  // namespace plumb::lm
