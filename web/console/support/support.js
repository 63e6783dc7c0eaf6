// Support: requests for help between two teams, and the clocks of what is
// promised: control/support.
import { el, put, field, options } from '/shared/dom.js';
import { all } from '/shared/api.js';
import { empty } from '/shared/problem.js';
import { table } from '/shared/table.js';
import { ago, badge, count } from '/shared/format.js';
import { query, setQuery } from '/shared/query.js';
import { ask } from './ask.js';
import { clock } from './clock.js';
import { open } from './request.js';

export async function show(place, session) {
  const asked = query();
  if (asked.id) return open(place, asked.id, session);
  if (asked.new) return ask(place, asked, session);
  const over = asked.all === '1';
  const { items, more } = await all('/v1/support', { open: over ? '' : true }, 1000);
  const found = el('div', { class: 'stack' });
  const filter = el('input', { type: 'search', value: asked.q ?? '', placeholder: 'title, team, API, person…', oninput: () => draw() });
  const which = el('select', { onchange: () => { setQuery({ q: filter.value, all: which.value }); show(place, session); } }, options([['', 'what is not over'], ['1', 'all']], over ? '1' : ''));
  put(place, el('div', { class: 'row spread' }, el('h1', { tabindex: -1 }, 'Support'), el('a', { class: 'button first', href: '/console/support?new=1' }, 'Ask for help')),
    el('p', { class: 'lead' }, 'Requests that your teams ask or are asked, and how their clocks stand.'),
    el('div', { class: 'controls noprint' }, el('label', { class: 'field grow' }, el('span', {}, 'Filter'), filter), field('Show', which)), found,
    more && el('p', { class: 'muted' }, `These are the newest ${count(items.length)}; "gatehouse support list" has all.`));
  draw();

  function draw() {
    setQuery({ q: filter.value, all: which.value });
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const list = items.filter((q) => words.every((w) => [q.id, q.title, q.from, q.to, q.api, q.openedBy, q.assignee, q.category, q.severity, q.state].join(' ').toLowerCase().includes(w)));
    put(found, table('Support requests', columns, list, items.length ? empty('Nothing matches', 'Take something out of the filter.') : empty(over ? 'Nobody has asked for help yet' : 'No request is open', 'Ask the owner of an API, or the provider team, when something does not work or is not clear.')));
  }
}

const severities = ['low', 'medium', 'high', 'critical'];
const due = (q) => [q.firstResponse, q.resolution].filter((c) => c?.state === 'running').map((c) => c.due).sort()[0] ?? '9';

const columns = [
  { head: 'Request', key: (q) => q.opened, cell: (q) => el('div', {}, el('a', { href: `/console/support?id=${encodeURIComponent(q.id)}` }, q.title), el('span', { class: 'under' }, `${q.id} · ${q.category}`)) },
  { head: 'Severity', key: (q) => severities.indexOf(q.severity), cell: (q) => badge(q.severity) }, { head: 'State', key: (q) => q.state, cell: (q) => el('div', {}, badge(q.state, q.state, tone(q.state)), el('span', { class: 'under' }, ago(q.since))) },
  { head: 'Asks', key: (q) => q.from, cell: (q) => el('div', {}, q.from, el('span', { class: 'under' }, q.openedBy)) }, { head: 'Helps', key: (q) => q.to, cell: (q) => el('div', {}, q.provider ? 'the provider' : q.to, q.assignee && el('span', { class: 'under' }, q.assignee)) },
  { head: 'About', key: (q) => q.api, cell: (q) => el('div', {}, q.api ?? '', q.application && el('span', { class: 'under' }, q.application)) },
  { head: 'First answer', key: due, cell: (q) => clock(q.firstResponse) }, { head: 'Solution', key: due, cell: (q) => clock(q.resolution) }, { head: 'Opened', key: (q) => q.opened, cell: (q) => ago(q.opened) },
];

// tone is the colour of a request's state: who has the next word.
export const tone = (state) => ({ open: 'warn', acknowledged: 'warn', answered: '', waiting: '', resolved: 'good', closed: '' })[state];
