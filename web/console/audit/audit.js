// Trail: who did what, and whether the record of it holds: control/audit.
import { el, put, field, options } from '/shared/dom.js';
import { get } from '/shared/api.js';
import { notYours, why } from '/shared/permission.js';
import { problem, empty } from '/shared/problem.js';
import { table } from '/shared/table.js';
import { badge, count, plural, when } from '/shared/format.js';
import { query, setQuery, fromLocal, toLocal } from '/shared/query.js';
import { open } from './event.js';

const pageSize = 50;

export async function show(place) {
  const asked = query();
  const text = (name, label, hint) => [name, label, el('input', { type: 'text', value: asked[name] ?? '', placeholder: hint, spellcheck: 'false', autocomplete: 'off' })];
  const fields = [
    ['text', 'Text', el('input', { type: 'search', value: asked.text ?? '', placeholder: 'anywhere in the event' })],
    text('actor', 'Actor', 'user:alice@example.com'), text('action', 'Action', 'release.*'), text('object', 'Object', 'API payments/orders'), text('team', 'Team', 'payments'),
    ['outcome', 'Outcome', el('select', {}, options([['', 'All'], 'allowed', 'refused', 'failed'], asked.outcome ?? ''))],
    ['from', 'From (your time zone)', el('input', { type: 'datetime-local', step: 1, value: toLocal(asked.from) })],
    ['to', 'To', el('input', { type: 'datetime-local', step: 1, value: toLocal(asked.to) })],
  ];
  const found = el('div', { class: 'stack' });
  const told = el('p', { role: 'status', class: 'hidden-text' });
  const said = el('div', { 'aria-live': 'polite' });
  const form = el('form', { class: 'controls noprint', onsubmit: (e) => { e.preventDefault(); load(); } },
    fields.map(([, label, control]) => field(label, control)), el('button', { class: 'first' }, 'Show'), el('button', { type: 'button', onclick: clear }, 'Clear'));
  const check = el('button', { type: 'button', onclick: () => verify(check, said) }, 'Verify the chain');
  put(place, el('div', { class: 'row spread' }, el('h1', { tabindex: -1 }, 'Trail'), check), el('p', { class: 'lead' }, 'Every action, allowed, refused or failed, in a chain that shows if anything in it was changed.'), said, form, told, found);

  let items = [];
  const values = () => Object.fromEntries(fields.map(([name, , c]) => [name, c.type === 'datetime-local' ? fromLocal(c.value) : c.value.trim()]));

  async function load(after = 0) {
    const filter = values();
    setQuery(filter);
    try {
      const page = await get('/v1/audit/events', { ...filter, newest: true, limit: pageSize, after: after || '' });
      items = after ? [...items, ...page.items] : page.items;
      draw(page.next, Object.values(filter).some(Boolean));
    } catch (err) {
      put(found, problem(err));
    }
  }

  function draw(next, filtered) {
    put(told, `${plural(items.length, 'event')} shown`);
    put(found, table('Events, newest first', columns, items, filtered ? empty('No event matches', 'Take something out of the filter, or clear it.') : empty('Nothing has happened yet', 'Every action appears here as soon as it is done or refused.')),
      next && el('button', { type: 'button', onclick: () => load(next) }, 'Show older events'));
  }

  function clear() {
    for (const [, , c] of fields) c.value = '';
    load();
  }
  const may = await why('audit.query');
  if (may.allowed) return load();
  form.remove();
  check.remove();
  put(found, notYours(may));
}

const columns = [
  { head: 'Event', cell: (e) => el('button', { type: 'button', class: 'plain mono', onclick: () => open(e) }, '#' + e.number) },
  { head: 'Time', cell: (e) => when(e.time) },
  { head: 'Actor', cell: (e) => el('span', { class: 'wrap' }, e.actor) },
  { head: 'Action', cell: (e) => el('code', {}, e.action) },
  { head: 'Object', cell: (e) => el('div', { class: 'wrap' }, e.object ?? '', e.reason && el('span', { class: 'under' }, e.reason)) },
  { head: 'Team', cell: (e) => e.team ?? '' },
  { head: 'Outcome', cell: (e) => badge(e.outcome) },
];

async function verify(button, said) {
  button.disabled = true;
  put(said, el('p', { class: 'busy' }, 'Computing every hash again…'));
  try {
    const v = await get('/v1/audit/verify');
    put(said, v.ok ? el('div', { class: 'notice good', id: 'verified' }, el('strong', {}, 'The chain holds. '),
      v.events ? [`${count(v.events)} events, number ${count(v.first)} to ${count(v.last)}; the last hash is `, el('code', { title: v.hash }, v.hash), '. Kept elsewhere, it shows later whether anything before it changed.'] : 'It has no event yet.')
      : el('div', { class: 'notice bad', role: 'alert', id: 'verified' }, el('strong', {}, `The chain is broken at event ${count(v.broken)}. `), v.detail, ` ${count(v.events)} events before it are in order.`));
  } catch (err) {
    put(said, problem(err));
  }
  button.disabled = false;
}
