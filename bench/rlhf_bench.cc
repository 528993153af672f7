// Speed of a policy training: completions, rewards and updates of RLOO on stories260k's shape
// (random weights, 512 tokens of vocabulary), and where the processor's time goes.
//
//   rlhf_bench rloo STEPS THREADS [length|model]
//
// The reward is the number of words, which costs nothing, or a reward model of the same shape.
// Prints tokens a second, seconds a part, and, from a timer that looks every millisecond of
// processor time, how often each place was found: "own" are offsets in this program, for nm to
// name; the others are libraries by name, "" memory without a file: the products that oneDNN
// compiled.
#include <dlfcn.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/time.h>
#include <ucontext.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plumb/lm/stories.h"
#include "plumb/rlhf/policy/meters.h"
#include "plumb/rlhf/policy/rloo.h"
#include "plumb/rlhf/reward/open_reward.h"
#include "plumb/rlhf/reward/reward_model.h"

extern "C" char __executable_start;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kPlaces = std::size_t{1} << 18;
std::uintptr_t places[kPlaces];
std::atomic<std::size_t> seen{0};

void note_place(int, siginfo_t*, void* context) {
  const std::size_t at = seen.fetch_add(1, std::memory_order_relaxed);
#if defined(__x86_64__)
  const auto* state = static_cast<const ucontext_t*>(context);
  if (at < kPlaces) places[at] = static_cast<std::uintptr_t>(state->uc_mcontext.gregs[REG_RIP]);
#else
  (void)at, (void)context;
#endif
}

// The handler has a stack of its own: compiled products may use what lies below theirs. So only the
// thread that calls this is looked at.
void watch(bool on) {
  static char own_stack[1 << 16];
  stack_t stack = {};
  stack.ss_sp = own_stack;
  stack.ss_size = sizeof(own_stack);
  sigaltstack(&stack, nullptr);
  struct sigaction action = {};
  action.sa_sigaction = note_place;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigaction(SIGPROF, &action, nullptr);
  const suseconds_t every = on ? 1000 : 0;
  const itimerval timer{{0, every}, {0, every}};
  setitimer(ITIMER_PROF, &timer, nullptr);
}

plumb::Json found_places() {
  std::map<std::string, std::size_t> outside;
  plumb::Json own = plumb::Json::array();
  for (std::size_t i = 0; i < std::min(seen.load(), kPlaces); ++i) {
    Dl_info info;
    const bool known = dladdr(reinterpret_cast<void*>(places[i]), &info) != 0;
    if (known && info.dli_fbase == static_cast<void*>(&__executable_start)) {
      own.push_back(places[i] - reinterpret_cast<std::uintptr_t>(&__executable_start));
    } else {
      const std::string file = known ? info.dli_fname : "";
      ++outside[file.substr(file.find_last_of('/') + 1)];
    }
  }
  return {{"own", own}, {"outside", outside}};
}

plumb::lm::LanguageModel stories260k_shape() {
  plumb::nn::TransformerConfig c;
  c.vocabulary = 512;
  c.width = 64;
  c.layers = 5;
  c.heads = 8;
  c.key_heads = 4;
  c.head_width = c.rotary_width = 8;
  c.hidden = 172;
  c.context = 512;
  c.begin_token = 1;
  c.end_token = 2;
  plumb::nn::Transformer transformer(c);
  plumb::nn::initialise(transformer, 1);
  plumb::Json json = plumb::lm::story_tokenizer();
  plumb::Json& vocabulary = json["model"]["vocab"];
  for (std::size_t id = vocabulary.size(); id < c.vocabulary; ++id) {
    vocabulary["\u2581word" + std::to_string(id)] = id;
  }
  auto tokenizer = *plumb::parse_tokenizer_json(plumb::to_text(json), "bench");
  const auto frame = plumb::lm::frame_of(c, tokenizer);
  return {"stories260k's shape", std::move(transformer), std::move(tokenizer), frame};
}

// The same shape under a scalar head, with weights of its own.
std::unique_ptr<plumb::rlhf::Reward> reward_model(const plumb::lm::LanguageModel& model) {
  auto config = model.transformer.config();
  config.language_head = config.tied = false;
  config.scalar_head = true;
  plumb::nn::Transformer transformer(config);
  plumb::nn::initialise(transformer, 2);
  float* head =
      transformer.at(transformer.layout().scalar);  // begins at 0: equal scores teach nothing
  for (std::size_t i = 0; i < config.width; ++i) head[i] = i % 2 == 0 ? 0.05F : -0.03F;
  return std::make_unique<plumb::rlhf::RewardModel>("reward", std::move(transformer),
                                                    model.tokenizer,
                                                    plumb::rlhf::RewardCard{.frame = model.frame});
}

void rloo(std::size_t steps, int threads, const std::string& kind) {
  constexpr std::size_t kPrompts = 16, kGroup = 8, kTokens = 64;
  const auto model = stories260k_shape();
  std::vector<std::string> texts;
  for (const auto& story : plumb::lm::write_stories(kPrompts, {.seed = 1})) {
    texts.push_back(story.text.substr(0, story.text.find('.') + 1));
  }
  const auto prompts = *plumb::rlhf::encode_prompts(texts, "stories", model);
  const auto some = plumb::rlhf::pointers(prompts);
  const auto reward = kind == "model" ? reward_model(model) : *plumb::rlhf::open_reward("length");
  plumb::rlhf::Learner learner(model, {.threads = threads});
  double parts[3] = {0, 0, 0};
  std::size_t tokens = 0;
  const auto step = [&](std::size_t number) {
    auto last = Clock::now();
    const auto lap = [&](double& part) {
      const auto now = Clock::now();
      part += std::chrono::duration<double>(now - last).count();
      last = now;
    };
    auto rollout = *learner.draw(some, {.group = kGroup,
                                        .max_tokens = kTokens,
                                        .first_index = number * kPrompts * kGroup,
                                        .threads = threads});
    lap(parts[0]);
    if (!plumb::rlhf::reward_rollout(rollout, reward.get(), nullptr, threads)) std::abort();
    tokens += plumb::rlhf::measure(rollout).tokens;
    lap(parts[1]);
    plumb::rlhf::rloo_update(rollout, rollout.proxy, 0.01, 1e-4F, {}, learner);
    lap(parts[2]);
  };
  step(0);
  parts[0] = parts[1] = parts[2] = 0;
  tokens = 0;
  watch(threads == 1);
  for (std::size_t i = 1; i <= steps; ++i) step(i);
  watch(false);
  const double seconds = parts[0] + parts[1] + parts[2];
  plumb::Json result = {{"threads", threads},
                        {"tokens_per_s", static_cast<double>(tokens) / seconds},
                        {"seconds", seconds},
                        {"draw_and_score", parts[0]},
                        {"reward_and_measure", parts[1]},
                        {"update", parts[2]}};
  result.update(found_places());
  fmt::print("{}\n", plumb::to_text(result));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what != "rloo" || argc < 4) return 2;
  rloo(std::strtoul(argv[2], nullptr, 10), std::atoi(argv[3]), argc > 4 ? argv[4] : "length");
  return 0;
}
