import { el, svg } from '/shared/dom.js';
import { count } from '/shared/format.js';

const classes = [[2, '2xx answered'], [3, '3xx elsewhere'], [4, '4xx turned down'], [5, '5xx failed']];
const narrow = matchMedia('(max-width: 720px)');

// bars draws one stacked bar for each hour {time, by: {class: requests}}.
export function bars(hours) {
  const box = { w: narrow.matches ? 400 : 900, h: 210, left: 46, bottom: 24, top: 10 };
  const total = (h) => Object.values(h.by).reduce((a, b) => a + b, 0);
  const most = ceiling(Math.max(1, ...hours.map(total)));
  const width = (box.w - box.left) / hours.length;
  const y = (n) => box.h - box.bottom - (n / most) * (box.h - box.bottom - box.top);
  const busiest = hours.reduce((a, b) => (total(b) > total(a) ? b : a));
  return svg('svg', { class: 'chart', viewBox: `0 0 ${box.w} ${box.h}`, role: 'img',
    'aria-label': `Requests by the hour: ${count(hours.reduce((n, h) => n + total(h), 0))} in ${hours.length} hours; most, ${count(total(busiest))}, in the hour from ${label(busiest.time, true)}` },
  [0, most / 2, most].map((n) => [svg('line', { class: 'grid', x1: box.left, x2: box.w, y1: y(n), y2: y(n) }), svg('text', { x: box.left - 8, y: y(n) + 4, 'text-anchor': 'end' }, count(n))]),
  hours.map((h, i) => bar(h, box.left + i * width, width, y)),
  hours.map((h, i) => tick(hours.length, h, i, narrow.matches ? 8 : 4) && svg('text', { x: box.left + (i + 0.5) * width, y: box.h - 6, 'text-anchor': 'middle' }, label(h.time, hours.length > 48))));
}

function bar(h, x, width, y) {
  let sum = 0;
  const said = [label(h.time, true)];
  const parts = classes.map(([c, name]) => {
    const n = h.by[c] ?? 0;
    if (!n) return null;
    said.push(`${name.slice(0, 3)}: ${count(n)}`);
    const top = y(sum + n), height = y(sum) - top;
    sum += n;
    return svg('rect', { class: 'c' + c, x: x + width * 0.14, width: width * 0.72, y: top, height: Math.max(height, 1.5), rx: Math.min(2, width / 6) });
  });
  return svg('g', {}, svg('title', {}, said.join(', ')), parts);
}

// tick says which hours are named: every few, or days where there are many.
const tick = (n, h, i, every) => (n > 48 ? new Date(h.time).getHours() === 0 : i % every === n % every);

function label(time, day) {
  const at = new Date(time);
  const text = at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (!day) return text;
  const date = at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
  return at.getHours() === 0 ? date : `${date} ${text}`;
}

// ceiling is the next even number of the form 1, 2 or 5 times a power of ten.
function ceiling(n) {
  const p = 10 ** Math.floor(Math.log10(n));
  const up = [1, 2, 5, 10].find((m) => m * p >= n) * p;
  return Math.max(2, up);
}

export const legend = () => el('ul', { class: 'legend' }, classes.map(([c, name]) => el('li', { class: 'c' + c }, name)));
