// How the options of fields are found and applied. Grafana registers them in public/app/core/components/OptionsUI/registry.tsx
// and in each panel's module.ts, which npm does not have; without a registry units and overrides are ignored.
import { displayNameOverrideProcessor, identityOverrideProcessor, numberOverrideProcessor, stringOverrideProcessor } from '@grafana/data';

const option = (id, process) => ({
  id, path: id.replace(/^custom\./, ''), isCustom: id.startsWith('custom.'), name: id, process, settings: { expandTemplateVars: true }, shouldApply: () => true,
});

const STANDARD = [
  ...['min', 'max', 'decimals'].map((id) => option(id, numberOverrideProcessor)),
  ...['unit', 'thresholds', 'mappings', 'color', 'links', 'actions', 'fieldMinMax', 'filterable'].map((id) => option(id, identityOverrideProcessor)),
  option('noValue', stringOverrideProcessor),
  option('description', stringOverrideProcessor),
  option('displayName', displayNameOverrideProcessor),
];

/** What applyFieldOverrides asks of a registry: every option there is, and one by its id. */
export function registryOf({ defaults }) {
  const own = Object.keys(defaults.custom).map((name) => option(`custom.${name}`, identityOverrideProcessor));
  const byId = new Map([...STANDARD, ...own].map((one) => [one.id, one]));
  return {
    list: () => [...byId.values()],
    getIfExists: (id) => byId.get(id) ?? (id.startsWith('custom.') ? option(id, identityOverrideProcessor) : undefined),
  };
}

// Each panel's own defaults, as its module.ts has them.
const CUSTOM = {
  timeseries: {
    drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 1, fillOpacity: 0, gradientMode: 'none', showPoints: 'auto', pointSize: 5,
    spanNulls: false, insertNulls: false, axisPlacement: 'auto', axisLabel: '', axisColorMode: 'text', axisBorderShow: false, barAlignment: 0,
    barWidthFactor: 0.6, scaleDistribution: { type: 'linear' }, stacking: { mode: 'none', group: 'A' }, thresholdsStyle: { mode: 'off' },
    hideFrom: { tooltip: false, viz: false, legend: false },
  },
  table: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false, footer: { reducers: [] } },
};
const COLOR = { timeseries: 'palette-classic' };
const THRESHOLDS = { mode: 'absolute', steps: [{ value: null, color: 'green' }, { value: 80, color: 'red' }] };

/** JSON has no -Infinity, where the first step begins. */
const read = (thresholds) => ({
  ...thresholds, steps: thresholds.steps.map((step, place) => (place === 0 ? { ...step, value: step.value ?? -Infinity } : step)),
});

/** A panel's field options with what Grafana adds when it loads them. */
export function fieldConfigOf(panel) {
  const { defaults = {}, overrides = [] } = panel.fieldConfig ?? {};
  return {
    defaults: {
      mappings: [],
      ...defaults,
      custom: { ...CUSTOM[panel.type], ...defaults.custom },
      color: defaults.color ?? { mode: COLOR[panel.type] ?? 'thresholds' },
      thresholds: read(defaults.thresholds ?? THRESHOLDS),
    },
    overrides: overrides.map((one) => ({
      ...one, properties: one.properties.map((told) => (told.id === 'thresholds' ? { ...told, value: read(told.value) } : told)),
    })),
  };
}
