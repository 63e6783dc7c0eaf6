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

// until is about how long until a moment, for what ends; past says so.
export function until(iso) {
  if (!set(iso)) return null;
  const s = Math.round((new Date(iso) - Date.now()) / 1000);
  const [n, unit] = s < 5400 ? [Math.ceil(s / 60), 'min'] : s < 172800 ? [Math.round(s / 3600), 'h'] : [Math.round(s / 86400), 'd'];
  return el('time', { datetime: iso, title: iso.replace(/\.\d+Z$/, 'Z') + ' UTC', class: 'nowrap' }, s <= 0 ? 'over' : `in ${n} ${unit}`);
}

// ends is a moment with how long until then.
export const ends = (iso) => (set(iso) ? el('span', {}, when(iso), ' ', el('span', { class: 'muted nowrap' }, '(', until(iso), ')')) : null);

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
  live: 'good', approved: 'good', allowed: 'good', connected: 'good', healthy: 'good', wanted: 'good', published: 'good', passed: 'good', 'in-force': 'good', met: 'good', resolved: 'good', done: 'good',
  pending: 'warn', requested: 'warn', suspended: 'warn', deprecated: 'warn', 'no-gateway': 'warn', waived: 'warn', grace: 'warn', waiting: 'warn', submitted: 'warn', 'asked-back': 'warn',
  undecided: 'warn', near: 'warn', paused: 'warn', answered: 'warn', high: 'warn', warn: 'warn', skipped: 'warn', 'not-placed': 'warn',
  refused: 'bad', failed: 'bad', rejected: 'bad', lost: 'bad', failing: 'bad', missed: 'bad', withdrawn: 'bad', reached: 'bad', critical: 'bad', error: 'bad', revoked: 'bad',
};

// badge is a state, told by word and colour.
export function badge(state, text = state, tone = tones[state]) {
  return el('span', { class: 'badge ' + (tone ?? '') }, (text ?? '').replaceAll('-', ' '));
}

export const tag = (text) => (text ? el('span', { class: 'tag' }, text) : null);
