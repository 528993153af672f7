import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin, type Rollup } from "vite";

const kTypes: Record<string, string> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
};

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/**
 * Packs all files of the page into one, which the server holds in memory: a line of JSON that says of each its path,
 * its type, and where its bytes begin and how many they are, plain and compressed, behind that line.
 */
function pack(): Plugin {
  return {
    name: "pack",
    generateBundle: { order: "post", handler: packed },
  };
}

async function packed(this: Rollup.PluginContext, _options: unknown, bundle: Rollup.OutputBundle): Promise<void> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const place = (bytes: Uint8Array<ArrayBuffer>): [number, number] => {
    parts.push(bytes);
    size += bytes.length;
    return [size - bytes.length, bytes.length];
  };
  const files = [];
  for (const file of Object.values(bundle).sort((a, b) => (a.fileName < b.fileName ? -1 : 1))) {
    const source = file.type === "chunk" ? file.code : file.source;
    const bytes = new Uint8Array(typeof source === "string" ? new TextEncoder().encode(source) : source);
    const ending = file.fileName.split(".").at(-1) ?? "";
    const type = kTypes[ending];
    if (!type) throw new Error(`no type for ${file.fileName}`);
    delete bundle[file.fileName];
    const path = ending === "html" ? "/" : `/${file.fileName}`;
    files.push({ path, type, plain: place(bytes), gzip: place(await gzip(bytes)) });
  }
  const head = new TextEncoder().encode(`${JSON.stringify(files)}\n`);
  const source = new Uint8Array(await new Blob([head, ...parts]).arrayBuffer());
  this.emitFile({ type: "asset", fileName: "studio.pack", source });
}

export default defineConfig({
  base: "/",
  plugins: [svelte(), pack()],
  build: {
    target: "es2022",
    emptyOutDir: false,
    modulePreload: false,
    reportCompressedSize: false,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 400,
    rollupOptions: { input: "studio.html" },
  },
});
