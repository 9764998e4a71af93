// The kinds of panel, each by the component of @grafana/ui that Grafana's own panel hands its data to.
import { FieldType, getDisplayValueAlignmentFactors, getFieldDisplayValues, renderMarkdown, VizOrientation } from '@grafana/data';
import { BarGauge, BigValue, TimeSeries, VizRepeater } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import { Marks } from './marks.jsx';

const BAR_SPACING = 10;

/** One drawing for each value that the panel's options make of its answer. */
function Each({ panel, frames, fieldConfig, width, height, theme, timeZone, replaceVariables, ...how }) {
  const { reduceOptions, orientation = VizOrientation.Auto } = panel.options;
  const getValues = () => getFieldDisplayValues({ fieldConfig, reduceOptions: { fields: '', ...reduceOptions }, replaceVariables, theme, data: frames, timeZone });
  return <VizRepeater {...{ getValues, width, height, orientation }} source={frames} renderCounter={1} getAlignmentFactors={getDisplayValueAlignmentFactors} {...how} />;
}

function stat(props) {
  const { colorMode, graphMode, justifyMode, textMode, wideLayout, text } = props.panel.options;
  return (
    <Each {...props} autoGrid renderValue={({ value, alignmentFactors, width, height, count }) => (
      <BigValue value={value.display} theme={props.theme} disableWideLayout={!wideLayout}
        {...{ alignmentFactors, width, height, count, colorMode, graphMode, justifyMode, textMode, text }} />
    )} />
  );
}

function bargauge(props) {
  const { displayMode, namePlacement, minVizHeight, minVizWidth, showUnfilled, text, valueMode } = props.panel.options;
  return (
    <Each {...props} itemSpacing={BAR_SPACING} {...{ minVizHeight, minVizWidth }} renderValue={({ value, alignmentFactors, width, height, orientation, count }) => (
      <BarGauge value={value.display} field={value.field} display={value.view?.getFieldDisplayProcessor(value.colIndex)} theme={props.theme}
        alignmentFactors={count > 1 ? alignmentFactors : undefined} itemSpacing={BAR_SPACING} valueDisplayMode={valueMode} isOverflow={false}
        {...{ width, height, orientation, displayMode, namePlacement, showUnfilled, text }} />
    )} />
  );
}

/** As Grafana's panel does before it draws: times and numbers alone, and none of a frame that lacks either. */
const graphable = (frames) =>
  frames
    .map((frame) => ({ ...frame, fields: frame.fields.filter((field) => [FieldType.time, FieldType.number].includes(field.type)) }))
    .filter((frame) => new Set(frame.fields.map((field) => field.type)).size > 1);

function timeseries({ panel, frames, width, height, marks, timeRange, timeZone }) {
  const drawn = graphable(frames);
  if (!drawn.length) return <div data-failed>Data is missing a number field</div>;
  return (
    <TimeSeries frames={drawn} structureRev={1} legend={panel.options.legend} options={panel.options} {...{ width, height, timeRange, timeZone }}>
      {(config) => <Marks {...{ config, marks }} />}
    </TimeSeries>
  );
}

const table = ({ panel, frames, fieldConfig, width, height, timeRange }) => (
  <TableNG data={frames[panel.options.frameIndex]} noHeader={!panel.options.showHeader} cellHeight={panel.options.cellHeight} initialSortBy={panel.options.sortBy}
    enableVirtualization={false} structureRev={1} resizable {...{ fieldConfig, width, height, timeRange }} />
);

const text = ({ panel }) => <div className="markdown-html" dangerouslySetInnerHTML={{ __html: renderMarkdown(panel.options.content) }} />;

export const KINDS = { bargauge, stat, table, text, timeseries };
