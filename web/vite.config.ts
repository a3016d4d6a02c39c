import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// `npm run dev` beside a running `rushes up`: RUSHES_URL=http://127.0.0.1:8000 npm run dev
const backend = process.env.RUSHES_URL ?? 'http://127.0.0.1:8000';

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // What the page starts with is one file, without what of Svelte only later parts use.
    rolldownOptions: {
      treeshake: {
        moduleSideEffects: [{ test: /bindings\/|reactivity\/set/, sideEffects: false }],
      },
      output: {
        codeSplitting: {
          includeDependenciesRecursively: false,
          groups: [{ name: 'start', tags: ['$initial'] }],
        },
      },
    },
  },
  server: { proxy: { '/api': backend, '/storage': backend, '/readyz': backend } },
  test: { include: ['test/**/*.test.ts'], environment: 'node' },
});
