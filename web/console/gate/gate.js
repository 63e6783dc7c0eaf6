// Gate: whether what is released obeys its framework: control/governance/gate.
import { el, put, field, options } from '/shared/dom.js';
import { all } from '/shared/api.js';
import { everywhere } from '/shared/permission.js';
import { empty } from '/shared/problem.js';
import { table } from '/shared/table.js';
import { ago, badge, count, ends, short, tag, when } from '/shared/format.js';
import { query, setQuery } from '/shared/query.js';
import { open } from './version.js';
import { openWaiver, waivers } from './waiver.js';

const outcomes = ['failed', 'waiting', 'grace', 'waived', 'passed'];

export async function show(place, session) {
  const asked = query();
  if (asked.api) return open(place, asked.api, asked.environment, asked.revision, session);
  const [{ items, more }, exceptions] = await Promise.all([all('/v1/gate'), all('/v1/waivers')]);
  const found = el('div', { class: 'stack' });
  const again = () => show(place, session);
  const filter = el('input', { type: 'search', value: asked.q ?? '', placeholder: 'API, framework, control…', oninput: () => draw() });
  const outcome = el('select', { onchange: () => draw() }, options([['', 'All'], ...outcomes], asked.outcome ?? ''));
  const environment = el('select', { onchange: () => draw() }, options([['', 'All'], ...new Set(items.map((i) => i.environment))], asked.environment ?? ''));
  put(place, el('div', { class: 'row spread' }, el('h1', { tabindex: -1 }, 'Gate'), el('button', { type: 'button', class: 'noprint', onclick: again }, 'Refresh')),
    el('p', { class: 'lead' }, 'Every API version that is released, judged by the framework in force. Where an environment enforces the gate, gateways refuse what does not pass.'),
    el('div', { class: 'controls noprint' }, el('label', { class: 'field grow' }, el('span', {}, 'Filter'), filter), field('Outcome', outcome), field('Environment', environment)), found,
    more && el('p', { class: 'muted' }, `These are the first ${count(items.length)}; "gatehouse gate list" has all.`),
    el('section', { class: 'stack', id: 'waivers', 'aria-label': 'Waivers' }, el('h2', {}, 'Waivers'), waivers(exceptions.items, again)));
  draw();
  if (asked.waiver) openWaiver(asked.waiver, again);

  function draw() {
    setQuery({ q: filter.value, outcome: outcome.value, environment: environment.value });
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const list = items.filter((i) => (!outcome.value || i.outcome === outcome.value) && (!environment.value || i.environment === environment.value)
      && words.every((w) => [i.api, i.version, i.framework, i.frameworkVersion, ...(i.short ?? []), ...(i.waived ?? [])].join(' ').toLowerCase().includes(w)));
    list.sort((a, b) => outcomes.indexOf(a.outcome) - outcomes.indexOf(b.outcome));
    put(found, table('The gate', columns, list, items.length ? empty('Nothing matches', 'Take something out of the filter.')
      : empty(everywhere(session) ? 'Nothing was looked at yet' : 'Nothing was looked at that you may see', 'Release an API into an environment, and it is judged by the framework in force.', 'gatehouse gate run TEAM/API@VERSION --env ENV')));
  }
}

const columns = [
  { head: 'API', key: (i) => i.api + i.version, cell: (i) => el('div', {}, el('a', { href: `/console/gate?api=${encodeURIComponent(`${i.api}@${i.version}`)}&environment=${encodeURIComponent(i.environment)}` }, `${i.api}@${i.version}`), el('span', { class: 'under mono', title: i.revision }, short(i.revision))) },
  { head: 'Environment', key: (i) => i.environment, cell: (i) => el('div', {}, i.environment, el('span', { class: 'under' }, { enforce: 'enforced', report: 'reported only', off: 'switched off' }[i.mode] ?? i.mode)) },
  { head: 'Outcome', key: (i) => outcomes.indexOf(i.outcome), cell: (i) => badge(i.outcome) },
  { head: 'Falls short of', cell: (i) => el('span', { class: 'row' }, (i.short ?? []).map(tag)) }, { head: 'Excepted from', cell: (i) => el('span', { class: 'row' }, (i.waived ?? []).map(tag)) },
  { head: 'Framework', key: (i) => i.framework, cell: (i) => (i.framework ? `${i.framework} ${i.frameworkVersion}` : 'none') },
  { head: 'Until', key: (i) => i.notice || i.expires, cell: (i) => (i.notice ? el('div', {}, 'on notice until ', ends(i.notice)) : i.expires ? el('div', {}, 'passes until ', when(i.expires)) : '') },
  { head: 'Looked at', key: (i) => i.time, cell: (i) => ago(i.time) },
];
