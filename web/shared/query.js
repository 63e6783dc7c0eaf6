// What a room is asked to show stands in the address, so that it can be sent
// to someone else.

export const query = () => Object.fromEntries(new URLSearchParams(location.search));

export function setQuery(values) {
  const params = new URLSearchParams();
  for (const [k, v] of Object.entries(values)) if (v) params.set(k, v);
  const text = params.toString();
  history.replaceState(null, '', location.pathname + (text ? '?' + text : ''));
}

// toLocal and fromLocal turn moments into what a datetime-local control holds
// and back.
export function toLocal(iso) {
  const t = new Date(iso ?? '');
  if (Number.isNaN(t.getTime())) return '';
  return new Date(t.getTime() - t.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
}

export function fromLocal(text) {
  const t = new Date(text);
  return text && !Number.isNaN(t.getTime()) ? t.toISOString() : '';
}
