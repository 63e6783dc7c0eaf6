import { el } from './dom.js';
import { get } from './api.js';

// why asks whether the reader may do an action, and if not, why not and what
// would do. About oneself everyone may ask, and a question leaves no refusal in
// the trail. The server decides again, of course.
export const why = (action, on) => get('/v1/access/why', { action, on });

const asked = new Map(); // question to {at, answer}
const fresh = 3000; // ms for which an answer is taken again: while one page is drawn

// can tells whether the reader may do an action on an object, "team/payments" or
// "API/payments/orders"; without one, on the organization. What cannot be
// found out counts as no: a control is then not offered.
export function can(action, on) {
  const question = `${action} ${on ?? ''}`;
  const known = asked.get(question);
  if (known && Date.now() - known.at < fresh) return known.answer;
  const answer = get('/v1/access/can', { action, on }).then((a) => a.allowed, () => false);
  if (asked.size > 500) asked.clear();
  asked.set(question, { at: Date.now(), answer });
  return answer;
}

// which answers several questions {name: [action, on]} at once.
export async function which(questions) {
  const answers = await Promise.all(Object.values(questions).map(([action, on]) => can(action, on)));
  return Object.fromEntries(Object.keys(questions).map((name, i) => [name, answers[i]]));
}

// notYours tells who may not what would do.
export function notYours(w, what = 'Not yours to see') {
  return el('div', { class: 'notice' }, el('strong', {}, what + '. '), sentence(w.reason), (w.remedies ?? []).slice(0, 3).map((r) => el('p', { class: 'muted' }, 'What would do: ' + sentence(r))));
}

const sentence = (text) => (text ? text[0].toUpperCase() + text.slice(1) + '.' : '');

// everywhere tells whether the reader was given anything for the whole
// organization; for others an empty list is only what they may see of it.
export const everywhere = (session) => session.assignments.some((a) => a.scope === 'organization');
