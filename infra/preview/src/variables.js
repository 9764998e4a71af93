// What Grafana puts for `$name`, `${name}`, `${name:format}` in titles, names and links, as far as dashboards here use it.

const several = (value) => (Array.isArray(value) ? value : [value]);

function formatted({ name, current }, format) {
  if (format === 'queryparam') return several(current.value).map((one) => `var-${name}=${encodeURIComponent(one)}`).join('&');
  return several(format === 'text' ? current.text : current.value).join(' + ');
}

function ofData(key, scoped) {
  const context = scoped?.__dataContext?.value;
  if (!context) return undefined;
  const { field, frame, rowIndex } = context;
  if (key.startsWith('__field.labels.')) return field.labels?.[key.slice('__field.labels.'.length)] ?? '';
  if (key === '__field.name') return field.name;
  if (key === '__series.name') return frame.name ?? '';
  if (key.startsWith('__data.fields.')) {
    const name = key.slice('__data.fields.'.length);
    return String(frame.fields.find((one) => one.name === name)?.values[rowIndex] ?? '');
  }
  return undefined;
}

/** A function of a text and what Grafana knows at its place, that leaves alone what it does not know. */
export function interpolator(variables) {
  const byName = new Map(variables.map((one) => [one.name, one]));
  return (text, scoped) =>
    typeof text !== 'string' ? text : text.replace(/\$\{([^}]+)\}|\$(\w+)/g, (whole, braced, bare) => {
      const [key, format] = (braced ?? bare).split(':');
      const here = scoped?.[key]?.value;
      return ofData(key, scoped) ?? (typeof here === 'object' ? undefined : here) ?? (byName.has(key) ? formatted(byName.get(key), format) : whole);
    });
}
