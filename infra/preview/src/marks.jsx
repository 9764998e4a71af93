// Annotations: a dashed line and a mark below at each time. Grafana's own drawing of them is not on npm.
import { useLayoutEffect } from 'react';

const DASH = [2, 3];
const MARK = 5;

function times(frames) {
  return frames.flatMap(({ schema, data }) => data.values[schema.fields.findIndex((field) => field.type === 'time')] ?? []);
}

function drawn(chart, at, color) {
  const { ctx, bbox } = chart;
  const x = Math.round(chart.valToPos(at, 'x', true));
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  const bottom = bbox.top + bbox.height;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = color;
  ctx.setLineDash(DASH);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bottom);
  ctx.stroke();
  ctx.beginPath();
  ctx.moveTo(x, bottom);
  ctx.lineTo(x - MARK, bottom + MARK);
  ctx.lineTo(x + MARK, bottom + MARK);
  ctx.fill();
  ctx.restore();
}

export function Marks({ config, marks }) {
  useLayoutEffect(() => {
    config.addHook('draw', (chart) => marks.forEach(({ color, frames }) => times(frames).forEach((at) => drawn(chart, at, color))));
  }, [config]);
  return null;
}
