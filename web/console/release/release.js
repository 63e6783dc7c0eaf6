// Releases: which revision of an API version lives in which environment, and
// what is on its way: control/catalog and control/release.
import { el, put, field, options } from '/shared/dom.js';
import { all, exposed } from '/shared/api.js';
import { everywhere } from '/shared/permission.js';
import { empty } from '/shared/problem.js';
import { badge, count, short, when } from '/shared/format.js';
import { query, setQuery } from '/shared/query.js';
import { open } from './version.js';
import { ordered, places } from './lane.js';

const pageSize = 60;

export async function show(place, session) {
  const asked = query();
  if (asked.api) return open(place, asked.api, session);
  const [catalog, environments, apis, schedules] = await Promise.all([exposed(), all('/v1/environments'), all('/v1/teams/-/apis'), all('/v1/release-schedules', { state: 'waiting' })]);
  const lanes = places(catalog.items), names = ordered(environments.items);
  const rows = apis.items.flatMap((a) => (a.spec.versions ?? []).map((v) => ({ id: `${a.metadata.team}/${a.metadata.name}@${v.name}`, title: a.spec.title, lifecycle: v.lifecycle ?? 'published' })));
  const found = el('div', { class: 'stack' });
  const filter = el('input', { type: 'search', value: asked.q ?? '', placeholder: 'API, team…', oninput: () => draw() });
  const only = el('select', { onchange: () => draw() }, options(Object.entries(wishes).map(([k, [text]]) => [k, text]), asked.only ?? ''));
  let shown = pageSize;
  put(place, el('div', { class: 'row spread' }, el('h1', { tabindex: -1 }, 'Releases'), el('button', { type: 'button', class: 'noprint', onclick: () => show(place, session) }, 'Refresh')),
    el('p', { class: 'lead' }, 'Where each API version lives. What is promoted is the same revision; only backends and variables are the environment’s own.'),
    el('div', { class: 'controls noprint' }, el('label', { class: 'field grow' }, el('span', {}, 'Filter'), filter), field('Only those', only)), found, scheduled(schedules.items));
  draw();

  function draw() {
    setQuery({ q: filter.value, only: only.value });
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const list = rows.filter((r) => words.every((w) => `${r.id} ${r.title ?? ''}`.toLowerCase().includes(w)) && wishes[only.value][1](lanes.get(r.id) ?? new Map()));
    put(found, list.length ? board(list.slice(0, shown), names, lanes) : el('div', { class: 'card' }, rows.length ? empty('Nothing matches', 'Take something out of the filter.')
      : empty(everywhere(session) ? 'No API was applied yet' : 'There is no API that you may see', 'Apply an API, and it is released into environments whose releases are automatic.', 'gatehouse import openapi FILE --team TEAM --backend URL -o apis\ngatehouse apply -f apis')),
    list.length > shown && el('div', { class: 'row' }, el('button', { type: 'button', onclick: () => { shown += pageSize; draw(); } }, 'Show more'), el('span', { class: 'muted' }, `${count(shown)} of ${count(list.length)}`)));
  }
}

const some = (test) => (lane) => [...lane.values()].some(test);
const wishes = { '': ['all', () => true], waiting: ['with a release that waits', some((p) => p.proposed)], canary: ['with a canary under way', some((p) => p.canary)], trouble: ['that some gateway refused', some((p) => p.state === 'refused')] };

// board shows versions as lanes, an environment a column.
function board(list, environments, lanes) {
  const at = (id) => `/console/release?api=${encodeURIComponent(id)}`;
  return el('div', { class: 'card' }, el('div', { class: 'scroll' }, el('table', { class: 'cards lanes', role: 'table' }, el('caption', { class: 'hidden-text' }, 'API versions and the revision that is wanted in each environment'),
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, el('th', { scope: 'col', role: 'columnheader' }, 'API version'), environments.map((e) => el('th', { scope: 'col', role: 'columnheader' }, e.name, e.stage !== e.name && el('span', { class: 'tag stage' }, e.stage))))),
    el('tbody', { role: 'rowgroup' }, list.map((r) => el('tr', { role: 'row' }, el('td', { role: 'cell', class: 'lead-cell' }, el('a', { href: at(r.id) }, r.id), el('span', { class: 'under' }, r.title ?? ''), r.lifecycle !== 'published' && badge(r.lifecycle)),
      environments.map((e) => el('td', { role: 'cell', 'data-head': e.name }, cell(lanes.get(r.id)?.get(e.name))))))))));
}

function cell(p) {
  if (!p) return el('span', { class: 'muted' }, '–', el('span', { class: 'hidden-text' }, 'not released'));
  return el('div', {}, p.revision && el('div', { class: 'row' }, el('code', { title: p.revision }, short(p.revision)), badge(p.state)), el('span', { class: 'under' }, when(p.since)),
    p.canary && el('div', {}, badge('canary', `canary ${short(p.canary.revision)}: ${p.canary.steps[p.canary.step]} %`, p.canary.state === 'paused' ? 'warn' : 'good')),
    p.proposed && el('div', {}, badge('requested', `${short(p.proposed)} waits for approval`)));
}

function scheduled(list) {
  if (!list.length) return null;
  return el('section', { class: 'card', 'aria-label': 'Scheduled' }, el('div', { class: 'card-head' }, el('h2', {}, 'Scheduled')), el('ul', { class: 'plain-list' }, list.map((s) => el('li', { class: 'row spread' },
    el('span', {}, el('a', { href: `/console/release?api=${encodeURIComponent(`${s.api}@${s.version}`)}` }, `${s.api}@${s.version}`), ' into ', s.environment, ', revision ', el('code', {}, short(s.revision))), el('span', {}, when(s.at), el('span', { class: 'muted' }, ` by ${s.by}`))))));
}
