// Usage: what gateways counted: control/usage.
import { el, put, field, options } from '/shared/dom.js';
import { all, get } from '/shared/api.js';
import { notYours, why } from '/shared/permission.js';
import { problem, empty } from '/shared/problem.js';
import { table } from '/shared/table.js';
import { bytes, count, span } from '/shared/format.js';
import { query, setQuery } from '/shared/query.js';
import { bars, legend } from './bars.js';

const spans = [['24', 'the last 24 hours'], ['72', 'the last 3 days'], ['168', 'the last 7 days']];

export async function show(place) {
  const asked = query();
  const found = el('div', { class: 'stack' });
  const hours = el('select', { onchange: () => load() }, options(spans, spans.some(([h]) => h === asked.hours) ? asked.hours : '24'));
  const environment = el('select', { onchange: () => load() }, options([['', 'All']], ''));
  const of = el('select', { onchange: () => load() });
  put(place, el('div', { class: 'row spread' }, el('h1', { tabindex: -1 }, 'Usage'), el('button', { type: 'button', class: 'noprint', onclick: () => load() }, 'Refresh')),
    el('p', { class: 'lead' }, 'Requests as gateways counted them. Counts arrive every few seconds; each is taken once.'),
    el('div', { class: 'controls noprint' }, field('Time', hours), field('Environment', environment), field('Of', of)), found);
  get('/v1/environments', { limit: 500 }).then(({ items }) => put(environment, options([['', 'All'], ...items.map((e) => e.metadata.name)], asked.environment ?? '')), () => {});

  async function load(env = environment.value) {
    setQuery({ hours: hours.value === '24' ? '' : hours.value, environment: env, of: of.value });
    const to = new Date();
    const [kind, name] = of.value.split(' ');
    const ask = { from: new Date(to - hours.value * 3600e3).toISOString(), to: to.toISOString(), environment: env, [kind || 'api']: name };
    try {
      const [byHour, byAPI, byClass] = await Promise.all(['hour,class', 'api', 'api,class'].map((by) => get('/v1/usage', { ...ask, by })));
      put(found, byAPI.items.length ? [tiles(byClass.items), chart(byHour), table('Usage by API', columns, rows(byAPI.items, byClass.items), null)]
        : el('div', { class: 'card' }, empty('Nothing was counted in this time', 'Call an API through a gateway, with a key, and it is counted here within seconds:', 'curl -H "X-API-Key: KEY" http://127.0.0.1:8080/PATH')));
    } catch (err) {
      put(found, problem(err));
    }
  }
  const may = await why('usage.get');
  const choices = await subjects(may.allowed);
  if (!choices.length) return put(found, notYours(may));
  put(of, options(choices, choices.some(([v]) => v === asked.of) ? asked.of : choices[0][0]));
  await load(asked.environment ?? '');
}

// subjects are what usage can be asked of: everything for who may see all, else
// one application or API at a time.
async function subjects(everything) {
  const list = (kind) => all(`/v1/teams/-/${kind}`, {}, 500).then(({ items }) => items, () => []);
  const [applications, apis] = await Promise.all([list('applications'), list('apis')]);
  const ref = (o) => `${o.metadata.team}/${o.metadata.name}`;
  return [...(everything ? [['', 'everything']] : []),
    ...applications.map((a) => [`application ${ref(a)}`, `application ${ref(a)}`]),
    ...apis.flatMap((a) => (a.spec.versions ?? []).map((v) => [`api ${ref(a)}@${v.name}`, `API ${ref(a)}@${v.name}`]))];
}

const sum = (items, f = () => true) => items.filter(f).reduce((n, r) => n + r.requests, 0);

function tiles(items) {
  const all = sum(items);
  const share = (n) => (all ? `${((100 * n) / all).toFixed(n && n < all / 100 ? 2 : 1)} %` : '0 %');
  const tile = (value, label, tone) => el('div', { class: 'tile card ' + (tone ?? '') }, el('b', {}, value), el('span', {}, label));
  const of = (c) => sum(items, (r) => r.class === c);
  return el('div', { class: 'tiles' }, tile(count(all), 'requests'), tile(share(of(2) + of(3) + of(1)), 'answered well'), tile(share(of(4)), 'turned down (4xx)', of(4) ? 'warn' : ''), tile(share(of(5)), 'failed (5xx)', of(5) ? 'bad' : ''));
}

function chart(answer) {
  const hours = new Map();
  const hour = 3600e3;
  for (let t = Math.floor(new Date(answer.from) / hour) * hour; t <= new Date(answer.to); t += hour) hours.set(t, { time: t, by: {} });
  for (const r of answer.items) {
    const at = hours.get(new Date(r.hour).getTime());
    if (at) at.by[r.class] = (at.by[r.class] ?? 0) + r.requests;
  }
  return el('figure', { class: 'card padded figure' }, el('figcaption', {}, el('strong', {}, 'Requests by the hour')), bars([...hours.values()]), legend());
}

function rows(byAPI, byClass) {
  return byAPI.map((r) => ({ ...r, by: Object.fromEntries(byClass.filter((c) => c.api === r.api).map((c) => [c.class, c.requests])) }));
}

const columns = [
  { head: 'API', key: (r) => r.api, cell: (r) => r.api || el('span', { class: 'muted' }, 'no API: nothing is at the path asked for') },
  { head: 'Requests', num: true, key: (r) => r.requests, cell: (r) => count(r.requests) },
  ...[['2xx', 2], ['3xx', 3], ['4xx', 4], ['5xx', 5]].map(([head, c]) => ({ head, num: true, key: (r) => r.by[c] ?? 0, cell: (r) => (r.by[c] ? count(r.by[c]) : '0') })),
  { head: 'p50 at most', num: true, key: (r) => r.p50 ?? 0, cell: (r) => span(r.p50) },
  { head: 'p95 at most', num: true, key: (r) => r.p95 ?? 0, cell: (r) => span(r.p95) },
  { head: 'p99 at most', num: true, key: (r) => r.p99 ?? 0, cell: (r) => span(r.p99) },
  { head: 'In', num: true, key: (r) => r.bytesIn, cell: (r) => bytes(r.bytesIn) },
  { head: 'Out', num: true, key: (r) => r.bytesOut, cell: (r) => bytes(r.bytesOut) },
];
