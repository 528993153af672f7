import { defineConfig, type Plugin } from "vite";

/** Moves the script and the style into the page, so that one file is all there is. */
function inline(): Plugin {
  return {
    name: "inline",
    enforce: "post",
    generateBundle(_options, bundle) {
      for (const page of Object.values(bundle)) {
        if (page.type !== "asset" || !page.fileName.endsWith(".html")) continue;
        page.source = String(page.source)
          .replace(/<script type="module"[^>]*src="\.\/([^"]+)"[^>]*><\/script>/g, (_, name) => {
            const chunk = bundle[name];
            if (chunk?.type !== "chunk") throw new Error(`no script ${name}`);
            delete bundle[name];
            return `<script type="module">${chunk.code.replace(/<\/script/g, "<\\/script")}</script>`;
          })
          .replace(/<link rel="stylesheet"[^>]*href="\.\/([^"]+)"[^>]*>/g, (_, name) => {
            const sheet = bundle[name];
            if (sheet?.type !== "asset") throw new Error(`no style ${name}`);
            delete bundle[name];
            return `<style>${sheet.source}</style>`;
          });
      }
      const left = Object.keys(bundle).filter((name) => !name.endsWith(".html"));
      if (left.length > 0) throw new Error(`not inlined: ${left.join(", ")}`);
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [inline()],
  build: {
    target: "es2022",
    emptyOutDir: false,
    modulePreload: false,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 400,
    rollupOptions: { input: "report.html" },
  },
});
