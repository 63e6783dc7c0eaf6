// One event with the difference it made.
import { el, facts } from '/shared/dom.js';
import { sheet } from '/shared/sheet.js';
import { badge, when } from '/shared/format.js';

export function open(e) {
  sheet(`Event #${e.number}`, `${e.action}${e.object ? ' on ' + e.object : ''}`, () => [
    facts([['Outcome', badge(e.outcome)], ['Reason', e.reason], ['Time', el('span', {}, when(e.time), el('span', { class: 'under muted' }, ` ${e.time}`))], ['Actor', e.actor], ['Proved by', el('code', {}, e.authentication)],
      ['Address', e.address], ['Action', el('code', {}, e.action)], ['Object', e.object], ['Team', e.team], ['Request', e.requestId && el('code', {}, e.requestId)]]),
    el('h3', {}, 'What changed'), change(e.change ?? []),
    el('details', {}, el('summary', {}, 'Place in the chain'), facts([['Number', e.number], ['Change', e.seq], ['Hash before', el('code', {}, e.previous || 'none: the first')], ['Hash', el('code', {}, e.hash)]])),
  ]);
}

// change is a table of paths with what stood there before and after; secrets
// came masked.
function change(list) {
  if (!list.length) return el('p', { class: 'muted' }, 'Nothing.');
  const value = (v, look) => (v === undefined ? null : el('pre', { class: look }, typeof v === 'string' ? v : JSON.stringify(v, null, 1)));
  const cell = (head, ...c) => el('td', { role: 'cell', 'data-head': head }, c);
  return el('div', { class: 'card' }, el('div', { class: 'scroll' }, el('table', { class: 'cards change', role: 'table' },
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, ['Place', 'Before', 'After'].map((h) => el('th', { scope: 'col', role: 'columnheader' }, h)))),
    el('tbody', { role: 'rowgroup' }, list.map((d) => el('tr', { role: 'row' }, cell('Place', d.path || 'the whole'), cell('Before', value(d.before, 'gone')), cell('After', value(d.after, 'come'))))))));
}
