import { el, put } from './dom.js';
import { count } from './format.js';

const pageSize = 100;

// table shows items in columns {head, cell(item), key(item), num}; a column
// with a key sorts. Rows beyond a hundred come when asked for, so that a list
// of many thousands stays quick. The roles say again what the narrow form's
// styles would take away.
export function table(caption, columns, items, none) {
  const box = el('div', { class: 'card' });
  let shown = pageSize;
  let sorted = null; // {column, turn}
  const draw = () => {
    if (!items.length) return put(box, none);
    const list = sorted ? [...items].sort(compare(sorted)) : items;
    const body = el('tbody', { role: 'rowgroup' }, list.slice(0, shown).map((i) => row(columns, i)));
    const head = el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, columns.map((c) => heading(c))));
    return put(box,
      el('div', { class: 'scroll' }, el('table', { class: 'cards', role: 'table' }, el('caption', { class: 'hidden-text' }, caption), head, body)),
      shown < list.length && el('div', { class: 'more' }, el('button', { type: 'button', onclick: () => { shown += pageSize; draw(); } }, 'Show more'),
        `${count(shown)} of ${count(list.length)}`));
  };
  const heading = (c) => {
    const turn = sorted?.column === c ? sorted.turn : 0;
    const sort = () => {
      sorted = { column: c, turn: turn === 1 ? -1 : 1 };
      draw();
      box.querySelector('th[aria-sort] button')?.focus();
    };
    return el('th', { scope: 'col', role: 'columnheader', class: c.num && 'num', 'aria-sort': turn ? (turn > 0 ? 'ascending' : 'descending') : null },
      c.key ? el('button', { type: 'button', class: 'sort', onclick: sort }, c.head, el('span', { 'aria-hidden': 'true' }, turn > 0 ? ' ↑' : turn < 0 ? ' ↓' : '')) : c.head || el('span', { class: 'hidden-text' }, 'What to do'));
  };
  draw();
  return box;
}

function row(columns, item) {
  return el('tr', { role: 'row' }, columns.map((c, i) =>
    el('td', { role: 'cell', class: [i === 0 && 'lead-cell', c.num && 'num'].filter(Boolean).join(' ') || null, 'data-head': c.head }, c.cell(item))));
}

function compare({ column, turn }) {
  return (a, b) => {
    const x = column.key(a) ?? '', y = column.key(b) ?? '';
    return turn * (typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y), 'en', { numeric: true }));
  };
}
