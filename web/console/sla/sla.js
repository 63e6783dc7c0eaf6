// Service levels: whether what plans and APIs promise was kept: control/sla.
import { el, put, field, options } from '/shared/dom.js';
import { all } from '/shared/api.js';
import { notYours, why } from '/shared/permission.js';
import { empty, problem } from '/shared/problem.js';
import { table } from '/shared/table.js';
import { count, when } from '/shared/format.js';
import { teamsThatMay } from '/shared/teams.js';
import { query, setQuery } from '/shared/query.js';
import { availability, burn, latency, support } from './level.js';

const windows = [['1h', 'the last hour'], ['6h', 'the last 6 hours'], ['24h', 'the last 24 hours'], ['7d', 'the last 7 days'], ['30d', 'the last 30 days']];

export async function show(place) {
  const asked = query();
  const [may, environments] = await Promise.all([why('sla.get'), all('/v1/environments').then((e) => e.items, () => [])]);
  const teams = await teamsThatMay('sla.get');
  const found = el('div', { class: 'stack' });
  const head = [el('h1', { tabindex: -1 }, 'Service levels'), el('p', { class: 'lead' }, 'What plans and APIs promise, and what callers got, as gateways counted it. Support clocks count too.')];
  if (!may.allowed && !teams.length) return put(place, head, notYours(may));
  const team = el('select', { onchange: () => load() }, options([...(may.allowed ? [['', 'all teams']] : []), ...teams], teams.includes(asked.team) ? asked.team : may.allowed ? '' : teams[0]));
  const environment = el('select', { onchange: () => load() }, options([['', 'All'], ...environments.map((e) => e.metadata.name)], asked.environment ?? ''));
  const span = el('select', { onchange: () => load() }, options([...months(), ...windows], asked.span ?? months()[0][0]));
  put(place, head, el('div', { class: 'controls noprint' }, field('Time', span), field('Team that promises', team), field('Environment', environment)), found);
  await load();

  async function load() {
    setQuery({ span: span.value === months()[0][0] ? '' : span.value, team: team.value, environment: environment.value });
    const time = /^\d{4}-/.test(span.value) ? { month: span.value } : { window: span.value };
    try {
      const a = await all('/v1/sla', { ...time, team: team.value, environment: environment.value });
      put(found, el('p', { class: 'muted' }, 'From ', when(a.from), ' to ', when(a.to), '.'), table('Service levels', columns, a.items ?? [], empty('Nothing is promised', (a.note ? `${a.note[0].toUpperCase()}${a.note.slice(1)}. ` : '') + 'Say what is promised in the plan of a product, or in an API, and it is measured from then on.', 'sla: {availability: 99.9, latency: {p95: 200ms}, support: {firstResponse: 4h}}')));
    } catch (err) {
      put(found, problem(err));
    }
  }
}

// months are the one that runs and those before, as the API names them.
function months() {
  const now = new Date();
  return Array.from({ length: 6 }, (_, i) => {
    const at = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - i, 1));
    return [at.toISOString().slice(0, 7), (i ? '' : 'this month, ') + at.toLocaleDateString('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' })];
  });
}

export const columns = [
  { head: 'Of', key: (p) => p.api ?? p.product, cell: (p) => el('div', {}, p.product ? `${p.product}, plan ${p.plan}` : p.api, (p.product && p.api) && el('span', { class: 'under' }, p.api), p.application && el('span', { class: 'under' }, `for ${p.application}`)) },
  { head: 'Environment', key: (p) => p.environment, cell: (p) => p.environment ?? '' },
  { head: 'Requests', num: true, key: (p) => p.counted, cell: (p) => el('div', {}, count(p.counted), p.why && el('span', { class: 'under' }, p.why), p.failed > 0 && el('span', { class: 'under' }, `${count(p.failed)} failed`)) },
  { head: 'Availability', key: (p) => p.availability?.measured, cell: (p) => availability(p.availability) }, { head: 'Error budget left', key: (p) => p.availability?.budget ?? 101, cell: (p) => budget(p.availability) },
  { head: 'Burn rate', cell: (p) => burn(p.burn) }, { head: 'Latency', cell: (p) => latency(p.latency) }, { head: 'Support', cell: (p) => support(p.support) },
];

function budget(a) {
  if (a?.budget === undefined || a?.budget === null) return '';
  return el('div', {}, el('div', { class: a.budget < 0 ? 'gone' : '' }, `${a.budget.toFixed(1)} %`), el('meter', { min: 0, max: 100, high: 100, low: 25, optimum: 100, value: Math.max(0, Math.min(100, a.budget)), 'aria-label': `error budget left: ${a.budget.toFixed(1)} per cent` }));
}
