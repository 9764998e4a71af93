// Draws /dashboard.json, `{dashboard, results}` as `python -m tests.grafana` writes it. Query: theme, and lang for words.
import { createTheme, systemDateFormats, standardTransformers, standardTransformersRegistry } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import { createRoot } from 'react-dom/client';
import 'uplot/dist/uPlot.min.css';
import { Dashboard } from './dashboard.jsx';

const FONTS = { 400: '/public/fonts/inter/Inter-Regular.woff2', 500: '/public/fonts/inter/Inter-Medium.woff2' };
const SETTLED_FRAMES = 30; // charts are laid out again once their legend is

const query = new URLSearchParams(location.search);
const transformers = new Map(Object.values(standardTransformers).map((one) => [one.id, one])); // some have two names
standardTransformersRegistry.setInit(() =>
  [...transformers.values()].map((one) => ({ id: one.id, name: one.name, aliasIds: [], transformation: one, editor: () => null })),
);
systemDateFormats.useBrowserLocale(); // as GF_DATE_FORMATS_USE_BROWSER_LOCALE does
await initPluginTranslations('grafana-ui');

// Texts of a chart are measured when it is drawn first.
await Promise.all(Object.entries(FONTS).map(async ([weight, url]) => document.fonts.add(await new FontFace('Inter', `url(${url})`, { weight }).load())));
const theme = createTheme({ colors: { mode: query.get('theme') ?? 'dark' } });
const { dashboard, results } = await (await fetch('/dashboard.json')).json();
createRoot(document.getElementById('root')).render(<Dashboard {...{ dashboard, results, theme }} />);

const settled = (frames) => (frames ? requestAnimationFrame(() => settled(frames - 1)) : document.body.setAttribute('data-ready', ''));
await document.fonts.ready;
settled(SETTLED_FRAMES);
