// What tokenizer_bench.cc times, by Hugging Face's JavaScript library and by the original in Rust (npm: @huggingface/tokenizers, tokenizers).
//   node tokenizer_peer.mjs NODE_MODULES_FOLDER TOKENIZER.json TEXTS
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, file, textsFile] = process.argv.slice(2);
const require = createRequire(resolve(folder, 'x.js'));
const texts = readFileSync(textsFile, 'utf8').trimEnd().split('\n');
const document = JSON.parse(readFileSync(file, 'utf8'));

async function best(run) {
  let seconds = Infinity;
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    await run();
    seconds = Math.min(seconds, (performance.now() - start) / 1000);
  }
  return Math.round(texts.length / seconds);
}

const js = await import(pathToFileURL(require.resolve('@huggingface/tokenizers')).href);
const script = new (js.Tokenizer ?? js.default.Tokenizer)(document, {});
const original = require('tokenizers').Tokenizer.fromString(JSON.stringify(document));
const result = {
  js_texts_per_second: await best(() => { for (const text of texts) script.encode(text); }),
  original_texts_per_second: await best(() => original.encodeBatch(texts, {})),
};
console.log(JSON.stringify(result));
