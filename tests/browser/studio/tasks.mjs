// Small tasks of every kind, in English, Arabic and Hebrew.
import { taskFile } from "./harness.mjs";

export const sts = taskFile(
  { kind: "sts", name: "pairs", scale: [0, 5], language: "en", instruction: "How close are the meanings of the two sentences?" },
  [
    ["A heron stands in the shallow water.", "A grey bird waits at the edge of the pond."],
    ["The train to the coast leaves at nine.", "At nine the coastal train departs."],
    ["She repaired the clock by herself.", "The market opens on Saturday."],
    ["Two children built a kite from paper.", "A kite of paper was made by two children."],
    ["The soup needs more salt.", "There is too much salt in the soup."],
    ["Rain is expected in the evening.", "It may rain tonight."],
  ].map(([text1, text2], i) => ({ id: `p${i}`, text1, text2 })),
);

export const arabic = taskFile(
  { kind: "sts", name: "pairs-ar", scale: [1, 5], language: "ar", instruction: "ما مدى تقارب معنى الجملتين؟" },
  [
    { id: "a0", text1: "يقرأ الولد كتابًا في الحديقة.", text2: "الولد يطالع كتابه (Kitab 2) بين الأشجار." },
    { id: "a1", text1: "السماء صافية اليوم.", text2: "اشترت جدتي ثلاث برتقالات." },
  ],
);

export const hebrew = taskFile(
  {
    kind: "classification",
    name: "topics-he",
    language: "he",
    labels: ["מזג אוויר", "גינה", "מוזיקה"],
    instruction: "על מה המשפט?",
  },
  [
    { id: "h0", text: "מחר ירד גשם בצפון, אמרו ב-BBC." },
    { id: "h1", text: "העגבניות גדלות ליד הגדר." },
  ],
);

export const fractions = taskFile(
  { kind: "sts", name: "fractions", scale: [0, 1], language: "en", instruction: "How close are the two phrases?" },
  [{ id: "f0", text1: "a red boat", text2: "a boat painted red" }],
);

export const topics = taskFile(
  { kind: "classification", name: "topics", language: "en", labels: ["garden", "weather", "music"], instruction: "What is the sentence about?" },
  ["The beans climb along the wall.", "Fog lay over the harbour all morning.", "The cellist tuned her lowest string."].map((text, i) => ({ id: `t${i}`, text })),
);

const kManyLabels = [
  "activate the card", "age limit", "lost card", "stolen card", "card arrival", "card fees", "cash withdrawal", "change of address",
  "close the account", "currency exchange", "declined payment", "direct debit", "exchange rate", "forgotten code", "top-up failed",
  "top-up limit", "transfer pending", "transfer refused", "verify identity", "wrong amount",
];
export const intents = taskFile(
  { kind: "classification", name: "intents", language: "en", labels: kManyLabels, instruction: "What does the customer want?" },
  ["I cannot find my card anywhere.", "Why is my transfer still pending?"].map((text, i) => ({ id: `i${i}`, text })),
);

export const pool = taskFile(
  { kind: "clustering", name: "pool", language: "en", groups: 3, instruction: "Sort the titles by their subject." },
  ["Moss on old stone", "Ferns of the northern woods", "A tuning of eight strings", "Drums without skins", "Storms of the spring", "How dew falls", "Lichen and time"].map(
    (text, i) => ({ id: `c${i}`, text }),
  ),
);

export const ranking = taskFile(
  { kind: "reranking", name: "ranking", language: "en", instruction: "Which replies answer the question?" },
  [0, 1, 2].map((i) => ({
    id: `r${i}`,
    query: ["How does one sharpen a chisel?", "Why is the sky blue?", "When do swifts come back?"][i],
    candidates: [
      "Hold it flat on the stone and move it in slow circles.",
      "Short waves of light are scattered more than long ones by the air.",
      "They return in the first days of May, and leave in August.",
      "The museum is closed on Mondays.",
    ],
  })),
);

export const graded = taskFile(
  { kind: "reranking", name: "graded", scale: [0, 3], language: "en", instruction: "How well does each reply answer the question?" },
  [
    {
      id: "g0",
      query: "What keeps bread fresh?",
      candidates: ["A linen bag in a cool room, cut side down.", "Bread is made of flour.", "A box of clay.", "Sell it quickly."],
    },
  ],
);

export const preferences = taskFile(
  { kind: "preference", name: "replies", language: "en", scale: [1, 4], instruction: "Which reply helps more?" },
  [0, 1, 2, 3].map((i) => ({
    id: `q${i}`,
    prompt: ["How do I descale a kettle?", "Name three rivers.", "Write a line on autumn.", "What is a fugue?"][i],
    a: `Fill it with equal parts of water and vinegar, boil it, wait for half an hour, rinse it twice. (${i})`,
    b: `Kettles are cheap; buy another one. (${i})`,
  })),
);

export const plainPreferences = taskFile(
  { kind: "preference", name: "plain", language: "en", instruction: "Which reply is better?" },
  [0, 1, 2, 3].map((i) => ({ id: `w${i}`, prompt: `Question ${i}`, a: `The longer of the two replies to question ${i}.`, b: `Reply ${i}.` })),
);

export const training = taskFile(
  { kind: "sts", name: "pairs", scale: [0, 5], language: "en", instruction: "How close are the meanings of the two sentences?" },
  [{ id: "train", text1: "The door is open.", text2: "The door stands open.", rating: 5 }],
);

export const guidelines = `# Grades

Read both sentences before you choose. **Meaning** counts, not words.

- 5: nothing differs
- 3: something important differs
- 0: nothing in common
`;
