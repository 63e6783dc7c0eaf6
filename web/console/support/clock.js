import { el } from '/shared/dom.js';
import { badge, ends } from '/shared/format.js';

const words = { running: 'runs', standing: 'stands', met: 'kept', missed: 'missed' };

// clock shows how one clock of a request stands: what is promised, what was used
// of it in support hours, and when it is used up.
export function clock(c) {
  if (!c) return el('span', { class: 'muted' }, 'nothing promised');
  return el('div', {}, badge(c.state, words[c.state] ?? c.state, { running: 'warn', met: 'good', missed: 'bad' }[c.state] ?? ''), el('span', { class: 'under' }, `${c.used} of ${c.limit}`), c.state === 'running' && el('span', { class: 'under' }, 'used up ', ends(c.due)));
}
