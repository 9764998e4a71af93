// Draws /dashboard.json, `{dashboard, results}` as `python -m tests.grafana` writes it. Query: theme, and lang for words.
import { createTheme, systemDateFormats, standardTransformers, standardTransformersRegistry } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import { createRoot } from 'react-dom/client';
import 'uplot/dist/uPlot.min.css';
import { Dashboard } from './dashboard.jsx';

const FONTS = { 400: '/public/fonts/inter/Inter-Regular.woff2', 500: '/public/fonts/inter/Inter-Medium.woff2' };
const STILL_MS = 1000;

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

/** Charts and tables are laid out again once they know their place: nothing has moved for so long. */
function settled(ready) {
  let still = setTimeout(ready, STILL_MS);
  new MutationObserver(() => {
    clearTimeout(still);
    still = setTimeout(ready, STILL_MS);
  }).observe(document.getElementById('root'), { subtree: true, childList: true, attributes: true, characterData: true });
}
await document.fonts.ready;
settled(() => document.body.setAttribute('data-ready', ''));
