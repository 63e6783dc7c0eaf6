// One on-boarding: what is asked for, how it stands, and what may be done.
import { el, put, facts, field } from '/shared/dom.js';
import { all, get, path, post } from '/shared/api.js';
import { which } from '/shared/permission.js';
import { decide, form } from '/shared/deed.js';
import { badge, short, tag, when } from '/shared/format.js';
import { kit } from '../team/kit.js';
import { responsibilities } from './ask.js';
import { ordered } from '../release/lane.js';
import { wishes } from './wishes.js';

export async function open(place, id, session) {
  const at = (...more) => path('onboardings', id, ...more);
  const [o, may, environments] = await Promise.all([get(at()), which({ approve: ['onboarding.approve'], reject: ['onboarding.reject'], ask: ['onboarding.ask'] }), all('/v1/environments').catch(() => ({ items: [] }))]);
  const again = () => open(place, id, session);
  const mine = o.askedBy === session.subject || (o.request.members ?? []).includes(session.subject);
  put(place, el('div', {}, el('p', { class: 'crumbs' }, el('a', { href: '/console/onboarding' }, 'On-boarding'), ` / ${o.request.team}`),
    el('div', { class: 'row spread' }, el('h1', { tabindex: -1 }, o.id), badge(o.state))),
  el('p', { class: 'lead' }, lead(o)),
  (o.notes ?? []).length > 0 && el('div', { class: 'notice warn' }, el('strong', {}, 'Worth knowing'), el('ul', {}, o.notes.map((n) => el('li', {}, n)))),
  el('div', { class: 'pair' }, what(o), el('div', { class: 'stack' }, deeds(o, at, may, mine, again), await next(o), said(o))),
  o.state === 'asked-back' && mine && await answer(o, at, again, session, ordered(environments.items).map((e) => e.name)),
  o.acceptance && el('details', { class: 'card padded' }, el('summary', {}, `${o.acceptance.by} accepted the responsibilities of ${o.acceptance.framework} ${o.acceptance.version}, `, when(o.acceptance.time)), el('pre', { class: 'terms' }, o.acceptance.text)));
}

const lead = (o) => (o.more ? `Team ${o.request.team} asks for more than it is allowed.` : `A new team, ${o.request.title || o.request.team}, asks to come onto the platform.`);

function what({ request: r, ...o }) {
  const list = (l) => ((l ?? []).length ? el('span', { class: 'row' }, l.map(tag)) : null);
  const quotas = Object.entries(r.quotas ?? {}).map(([k, v]) => `${v} ${k}`).join(', ');
  return el('section', { class: 'card padded', 'aria-label': 'What is asked for' }, facts([['Team', el('code', {}, r.team)], ['Title', r.title], ['What it does', r.summary], ['Why', el('span', { class: 'words' }, r.why)], ['Members', (r.members ?? []).join(', ')], ['Roles end', r.expires],
    ['Environments', list(r.environments)], ['Clouds', list(r.clouds)], ['Data', list(r.data)], ['Cost centre', r.costCentre], ['Mail', r.contacts?.email], ['On call', r.contacts?.onCall], ['Channel', r.contacts?.channel], ['How much', quotas],
    ['Asked by', el('span', {}, o.askedBy, ', ', when(o.asked))], ['Let through by rule', o.rule && el('code', {}, o.rule)], ['Decided', o.decidedBy && el('span', {}, `by ${o.decidedBy}, `, when(o.decided))], ['Reason', o.reason]]));
}

// deeds are the verbs of whoever may use them: the provider team's, and of whose
// wish it is, to take it back.
function deeds(o, at, may, mine, again) {
  const waits = o.state === 'requested' || o.state === 'answered', openStill = waits || o.state === 'asked-back';
  if (!openStill) return null;
  const body = (reason) => ({ reason: reason || undefined });
  const verbs = [
    waits && may.approve && !mine && { text: 'Approve', look: 'first', run: (r) => post(at('approve'), body(r)) },
    may.ask && !mine && { text: 'Ask back', look: '', needs: 'Write what you want to know.', run: (question) => post(at('ask'), { question }) },
    may.reject && !mine && { text: 'Turn down', look: 'danger', needs: 'Say why, so that the team knows what would do.', run: (r) => post(at('reject'), body(r)) },
    mine && { text: 'Take it back', look: 'danger', sure: 'Really take it back?', run: (r) => post(at('withdraw'), body(r)) },
  ].filter(Boolean);
  const told = mine ? (o.state === 'asked-back' ? 'You were asked back: answer below.' : 'It waits for the provider team. Who asks, or is among the members, does not decide.') : !verbs.length ? 'It waits for the provider team.' : null;
  return el('section', { class: 'card padded stack', id: 'deeds', 'aria-label': 'What to do' }, told && el('p', {}, told), verbs.length > 0 && decide('Reason or question', 'The asking side reads it.', verbs, again));
}

// next tells what comes after it was let through.
async function next(o) {
  if (o.state !== 'approved') return null;
  const team = o.request.team;
  const may = await which({ look: ['team.get', 'team/' + team], kit: ['team.kit', 'team/' + team] });
  return el('section', { class: 'notice good stack', 'aria-label': 'What comes next' }, el('p', {}, el('strong', {}, `Team ${team} is on the platform. `), 'Its page has a checklist that ticks itself.'),
    el('div', { class: 'row' }, may.look && el('a', { class: 'button first', href: `/console/team?team=${encodeURIComponent(team)}` }, 'Go to the team'), may.kit && el('button', { type: 'button', onclick: () => kit(team, o.request.environments ?? []) }, 'Get the starter kit')));
}

function said(o) {
  if (!(o.comments ?? []).length) return null;
  return el('section', { class: 'card', 'aria-label': 'Questions and answers' }, el('div', { class: 'card-head' }, el('h2', {}, 'Questions and answers')),
    el('ul', { class: 'plain-list' }, o.comments.map((c) => el('li', {}, el('div', { class: 'row muted' }, tag(c.is), c.by, ' · ', when(c.time)), el('p', { class: 'words' }, c.text)))));
}

// answer is what was asked back, with the request to change, and the words to
// accept anew where other ones are in force by now.
async function answer(o, at, again, session, environments) {
  const terms = await get('/v1/onboarding-terms', { framework: o.acceptance?.framework ?? o.request.framework }).catch(() => ({ inForce: false }));
  const anew = terms.inForce && terms.hash !== o.acceptance?.hash;
  const words = el('textarea', { required: true, maxlength: 4000, rows: 4 });
  const w = wishes(o.request, environments, session.subject, true);
  return el('section', { class: 'card padded stack', 'aria-label': 'Answer' }, el('h2', {}, 'Answer'), form([field('Your answer', words), el('details', {}, el('summary', {}, 'Change what is asked for'), w.node),
    anew && [responsibilities(terms), el('label', { class: 'tick' }, el('input', { type: 'checkbox', required: true }), `I accept these responsibilities (text ${short(terms.hash)}), as they stand above.`)]], 'Answer', async () => {
    await post(at('answer'), { answer: words.value, request: { ...o.request, ...w.value() }, accept: anew ? { version: terms.version, hash: terms.hash } : undefined });
    await again();
  }));
}
