// One panel: its answer through its transformations and field options, in Grafana's own frame.
import { applyFieldOverrides, cacheFieldDisplayNames, dataFrameFromJSON, transformDataFrame } from '@grafana/data';
import { PanelChrome } from '@grafana/ui';
import { Component, useEffect, useState } from 'react';
import { fieldConfigOf, registryOf } from './fieldConfig.js';
import { KINDS } from './kinds.jsx';

const TIME_ZONE = 'browser';

/** A panel that cannot be drawn says so in its place, and `data-failed` to whoever takes the picture. */
class Failing extends Component {
  state = {};

  static getDerivedStateFromError(error) {
    return { error };
  }

  render() {
    return this.state.error ? <pre data-failed>{String(this.state.error)}</pre> : this.props.children;
  }
}

function Body(props) {
  const draw = KINDS[props.panel.type];
  if (!draw) return <div data-failed>cannot draw “{props.panel.type}”</div>;
  const empty = props.panel.type !== 'text' && !props.frames.some((frame) => frame.length);
  if (!empty) return draw(props);
  return <div data-empty style={{ display: 'grid', placeItems: 'center', height: '100%' }}>{props.fieldConfig.defaults.noValue ?? 'No data'}</div>;
}

/** What the transformations make of an answer; they are streams. */
function useTransformed(panel, answer) {
  const [frames, setFrames] = useState();
  useEffect(() => {
    const read = transformDataFrame(panel.transformations ?? [], answer.map(dataFrameFromJSON)).subscribe(setFrames);
    return () => read.unsubscribe();
  }, [panel, answer]);
  return frames;
}

export function Panel({ panel, answer, marks, theme, timeRange, replaceVariables, width, height }) {
  const transformed = useTransformed(panel, answer);
  const fieldConfig = fieldConfigOf(panel);
  const here = (text, scoped) => replaceVariables(text, { ...panel.scopedVars, ...scoped });
  const data = transformed && applyFieldOverrides({
    data: transformed, fieldConfig, theme, timeZone: TIME_ZONE, replaceVariables: here, fieldConfigRegistry: registryOf(fieldConfig),
  });
  if (data) cacheFieldDisplayNames(data);
  return (
    <div data-panel={panel.type} data-title={panel.title}>
      <PanelChrome width={width} height={height} title={here(panel.title)} description={panel.description} padding={panel.type === 'table' ? 'none' : 'md'}>
        {(w, h) => data && (
          <Failing>
            <Body frames={data} width={w} height={h} timeZone={TIME_ZONE} replaceVariables={here} {...{ panel, fieldConfig, marks, theme, timeRange }} />
          </Failing>
        )}
      </PanelChrome>
    </div>
  );
}
