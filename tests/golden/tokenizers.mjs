// What the original (npm: tokenizers, Hugging Face's Rust library) makes of texts; called by tokenizers.py.
//   node tokenizers.mjs NODE_MODULES < {"tokenizers": {name: document}, "texts": [...]} > {name: [{ids, offsets, decoded}, ...]}
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { readFileSync } from 'node:fs';

const { Tokenizer } = createRequire(resolve(process.argv[2], 'x.js'))('tokenizers');
const { tokenizers, texts } = JSON.parse(readFileSync(0, 'utf8'));
const made = {};
for (const [name, document] of Object.entries(tokenizers)) {
  const tokenizer = Tokenizer.fromString(JSON.stringify(document));
  // Left out here, since version 0.23 keeps special tokens that are "normalized".
  const special = new Set((document.added_tokens ?? []).filter((token) => token.special).map((token) => token.id));
  made[name] = [];
  for (const text of texts) {
    const encoding = await tokenizer.encode(text, null, {});
    const ids = encoding.getIds();
    made[name].push({ ids, offsets: encoding.getOffsets(), decoded: await tokenizer.decode(ids.filter((id) => !special.has(id)), false) });
  }
}
process.stdout.write(JSON.stringify(made));
