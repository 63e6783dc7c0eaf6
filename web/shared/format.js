import { el } from './dom.js';

const moment = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const number = new Intl.NumberFormat('en-GB');

const set = (iso) => iso && !iso.startsWith('0001-');

// when shows a moment in the reader's time zone; UTC stands behind it.
export function when(iso) {
  if (!set(iso)) return null;
  return el('time', { datetime: iso, title: iso.replace(/\.\d+Z$/, 'Z') + ' UTC', class: 'nowrap' }, moment.format(new Date(iso)));
}

// ago is about how long since, for what changes often.
export function ago(iso) {
  if (!set(iso)) return null;
  const s = Math.round((Date.now() - new Date(iso)) / 1000);
  const [n, unit] = s < 60 ? [s, 's'] : s < 5400 ? [Math.round(s / 60), 'min'] : s < 172800 ? [Math.round(s / 3600), 'h'] : [Math.round(s / 86400), 'd'];
  return el('time', { datetime: iso, title: iso, class: 'nowrap' }, s < 2 ? 'just now' : `${n} ${unit} ago`);
}

export const count = (n) => number.format(n ?? 0);
export const plural = (n, one, many = one + 's') => `${count(n)} ${n === 1 ? one : many}`;
export const short = (hash) => (hash ?? '').slice(0, 8);

export function bytes(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  for (; n >= 1024 && i < units.length - 1; i++) n /= 1024;
  return `${i && n < 10 ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}

// span shows microseconds.
export function span(us) {
  if (!us) return '';
  return us < 1000 ? `${us} µs` : us < 1e6 ? `${(us / 1000).toFixed(us < 1e4 ? 1 : 0)} ms` : `${(us / 1e6).toFixed(1)} s`;
}

export function place(l) {
  return l ? [l.cloud, l.region, l.jurisdiction, l.network].filter(Boolean).join(' · ') : '';
}

const tones = {
  live: 'good', approved: 'good', allowed: 'good', connected: 'good', healthy: 'good', wanted: 'good', published: 'good', open: 'good',
  pending: 'warn', requested: 'warn', suspended: 'warn', deprecated: 'warn', 'no-gateway': 'warn',
  refused: 'bad', failed: 'bad', rejected: 'bad', lost: 'bad', failing: 'bad',
};

// badge is a state, told by word and colour.
export function badge(state, text = state) {
  return el('span', { class: 'badge ' + (tones[state] ?? '') }, (text ?? '').replace('-', ' '));
}

export const tag = (text) => (text ? el('span', { class: 'tag' }, text) : null);
