import { el } from './dom.js';
import { get } from './api.js';

// why asks whether the reader may do an action, and if not, why not and what
// would do. About oneself everyone may ask, and a question leaves no refusal in
// the trail. The server decides again, of course.
export const why = (action, on) => get('/v1/access/why', { action, on });

// notYours tells who may not what would do.
export function notYours(w, what = 'Not yours to see') {
  return el('div', { class: 'notice' }, el('strong', {}, what + '. '), sentence(w.reason), (w.remedies ?? []).slice(0, 3).map((r) => el('p', { class: 'muted' }, 'What would do: ' + sentence(r))));
}

const sentence = (text) => (text ? text[0].toUpperCase() + text.slice(1) + '.' : '');

// everywhere tells whether the reader was given anything for the whole
// organization; for others an empty list is only what they may see of it.
export const everywhere = (session) => session.assignments.some((a) => a.scope === 'organization');
