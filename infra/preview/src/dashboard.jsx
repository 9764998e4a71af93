// A whole dashboard on Grafana's grid. What stands around the panels is Grafana's server's own and drawn plainly here.
import { dateTime, ThemeContext } from '@grafana/data';
import { GlobalStyles, PortalContainer } from '@grafana/ui';
import told from '../package.json';
import { Panel } from './panel.jsx';
import { interpolator } from './variables.js';

const WIDTH = 1400;
const COLUMNS = 24;
const ROW = 30;
const GAP = 8;
const HIDDEN = 2; // of a variable's `hide`
const VERSION = told.dependencies['@grafana/ui'];

/** Where a panel stands [pixels]. */
function place({ x, y, w, h }) {
  const column = (WIDTH - GAP * (COLUMNS - 1)) / COLUMNS;
  return { left: x * (column + GAP), top: y * (ROW + GAP), width: w * column + (w - 1) * GAP, height: h * ROW + (h - 1) * GAP };
}

const shown = (text) => (Array.isArray(text) ? text.join(' + ') : text);

function Above({ dashboard, theme }) {
  const chip = { border: `1px solid ${theme.colors.border.medium}`, borderRadius: 2, padding: '2px 8px' };
  const variables = dashboard.templating.list.filter((one) => one.hide !== HIDDEN);
  return (
    <div style={{ marginBottom: 12 }}>
      <h3 style={{ margin: '0 0 8px' }}>{dashboard.title}</h3>
      <div style={{ display: 'flex', flexWrap: 'wrap', gap: 8 }}>
        {variables.map((one) => (
          <span key={one.name} style={{ ...chip, maxWidth: 420, overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }}>
            {one.label ?? one.name}: <b>{shown(one.current?.text)}</b>
          </span>
        ))}
        {dashboard.annotations.list.map((one) => (
          <span key={one.name} style={{ ...chip, color: theme.visualization.getColorByName(one.iconColor) }}>◆ {one.name}</span>
        ))}
        <span style={{ flex: 1 }} />
        {(dashboard.links ?? []).map((one) => (
          <span key={one.title} style={{ ...chip, color: theme.colors.text.link }}>{one.title}</span>
        ))}
      </div>
    </div>
  );
}

const written = (at) => dateTime(at).format('YYYY-MM-DD HH:mm');

const Said = ({ range, theme }) => (
  <p style={{ color: theme.colors.text.secondary, margin: '12px 0 0' }}>
    Not Grafana: panels by @grafana/ui {VERSION}; what stands above them, rows, and marks of events are drawn plainly.
    Answers of real servers to a simulated scenario, {written(range.from)} to {written(range.to)}.
  </p>
);

export function Dashboard({ dashboard, results, theme }) {
  const from = dateTime(results.range.from);
  const to = dateTime(results.range.to);
  const timeRange = { from, to, raw: { from, to } };
  const replaceVariables = interpolator(dashboard.templating.list);
  const panels = dashboard.panels.flatMap((one) => [one, ...(one.panels ?? [])]);
  const marks = dashboard.annotations.list.map((one) => ({ color: theme.visualization.getColorByName(one.iconColor), frames: results.annotations?.[one.name] ?? [] }));
  const bottom = Math.max(...panels.map((one) => one.gridPos.y + one.gridPos.h));
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <PortalContainer />
      <div data-dashboard style={{ padding: 16, width: WIDTH + 32, background: theme.colors.background.canvas }}>
        <Above {...{ dashboard, theme }} />
        <div style={{ position: 'relative', width: WIDTH, height: bottom * (ROW + GAP) }}>
          {panels.map((one) => (
            <div key={one.id} style={{ position: 'absolute', ...place(one.gridPos) }}>
              {one.type === 'row' ? <h4 style={{ margin: '6px 0' }}>{one.title}</h4> : (
                <Panel panel={one} answer={results.panels[one.id] ?? []} {...place(one.gridPos)} {...{ marks, theme, timeRange, replaceVariables }} />
              )}
            </div>
          ))}
        </div>
        <Said range={results.range} theme={theme} />
      </div>
    </ThemeContext.Provider>
  );
}
