import { cpSync } from 'node:fs';
import { defineConfig } from 'vite';

// @grafana/ui 12 is written for React 18 and its own fork of react-data-grid; the published one renders `<Context value>`,
// which React understands from 19 on.
const gridForReact18 = {
  name: 'grid-for-react-18',
  enforce: 'pre',
  transform(code, id) {
    return /react-data-grid\/lib\/.*\.js$/.test(id) ? code.replace(/\b(jsxs?)\((\w+Context), \{/g, '$1($2.Provider, {') : undefined;
  },
};

// Grafana's server gives its pages icons and fonts from these places.
const ROBOTO_MONO = 'roboto/L0xTDF4xlVMF-BfR8bXMIhJHg45mwgGEFl0_3vrtSM1J-gEPT5Ese6hmHSh0mQ.woff2';
const FONTS = {
  'inter/files/inter-latin-400-normal.woff2': 'inter/Inter-Regular.woff2',
  'inter/files/inter-latin-500-normal.woff2': 'inter/Inter-Medium.woff2',
  'roboto-mono/files/roboto-mono-latin-400-normal.woff2': ROBOTO_MONO,
};
const servedByGrafana = {
  name: 'served-by-grafana',
  closeBundle() {
    cpSync('node_modules/@grafana/ui/dist/public/img/icons', 'dist/public/build/img/icons', { recursive: true });
    for (const [from, to] of Object.entries(FONTS)) cpSync(`node_modules/@fontsource/${from}`, `dist/public/fonts/${to}`);
  },
};

export default defineConfig({
  esbuild: { jsx: 'automatic' },
  define: { 'process.env.NODE_ENV': '"production"' },
  build: { target: 'es2022', minify: false, reportCompressedSize: false, chunkSizeWarningLimit: 20000 },
  plugins: [gridForReact18, servedByGrafana],
});
