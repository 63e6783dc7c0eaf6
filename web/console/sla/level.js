// What was promised and what was got, a cell each.
import { el } from '/shared/dom.js';
import { badge, count } from '/shared/format.js';

const verdict = (v) => badge(v, { met: 'kept', 'no data': 'no data' }[v] ?? v, v === 'no data' ? '' : undefined);

export function availability(a) {
  if (!a) return '';
  return el('div', {}, a.verdict === 'no data' ? '' : `${round(a.measured)} % `, verdict(a.verdict), el('span', { class: 'under' }, `promised ${a.promised} %`));
}

// round keeps what tells 99.95 from 99.9.
const round = (n) => Number(n.toFixed(3));

export function latency(list) {
  return (list ?? []).map((l) => el('div', {}, `p${l.percent} `, verdict(l.verdict), el('span', { class: 'under' }, [`promised ${l.promised}`, l.upTo && `got ${l.over ? `${l.over} to ` : 'up to '}${l.upTo}`].filter(Boolean).join(', '))));
}

// burn is how fast the error budget goes: 1 uses it up as fast as is promised.
export function burn(b) {
  return el('span', { class: 'row' }, Object.entries(b ?? {}).map(([window, rate]) => badge(rate > 1 ? 'failed' : 'passed', `${window}: ${rate.toFixed(2)}`)));
}

export function support(s) {
  if (!s?.requests) return '';
  const line = (name, t) => (t.met + t.missed + t.running > 0 ? el('span', { class: 'under' }, `${name}: ${count(t.met)} kept`, t.missed > 0 && el('strong', { class: 'gone' }, `, ${count(t.missed)} missed`), t.running > 0 && `, ${count(t.running)} run`) : null);
  return el('div', {}, `${count(s.requests)} asked`, line('first answer', s.firstResponse), line('solution', s.resolution));
}
