// Asking for a team, or for more than a team is allowed.
import { el, put } from '/shared/dom.js';
import { all, get, post } from '/shared/api.js';
import { form } from '/shared/deed.js';
import { problem } from '/shared/problem.js';
import { short } from '/shared/format.js';
import { query, setQuery } from '/shared/query.js';
import { open } from './standing.js';
import { ordered } from '../release/lane.js';
import { wishes } from './wishes.js';

export async function ask(place, session) {
  const { framework, new: team } = query();
  const [terms, environments, teams] = await Promise.all([get('/v1/onboarding-terms', { framework }).catch((err) => err), all('/v1/environments'), all('/v1/teams').then((t) => t.items.map((x) => x.metadata.name), () => [])]);
  if (terms instanceof Error) return put(place, head(), await several(terms));
  const w = wishes(team === '1' ? {} : { team, members: [] }, ordered(environments.items).map((e) => e.name), session.subject, false, teams);
  const agreed = el('input', { type: 'checkbox', required: true, id: 'accept' });
  put(place, head(), form([w.node, terms.inForce && responsibilities(terms), terms.inForce && el('label', { class: 'tick' }, agreed, `I accept these responsibilities, as they stand above, for the team.`)], 'Ask', async () => {
    const answer = await post('/v1/onboardings', { request: { ...w.value(), framework: terms.inForce ? terms.framework : undefined }, accept: terms.inForce ? { version: terms.version, hash: terms.hash } : undefined });
    history.pushState(null, '', '/console/onboarding');
    setQuery({ id: answer.id });
    await open(place, answer.id, session);
    place.querySelector('h1').focus();
  }));
}

const head = () => el('div', {}, el('p', { class: 'crumbs' }, el('a', { href: '/console/onboarding' }, 'On-boarding'), ' / Ask'), el('h1', { tabindex: -1 }, 'Ask for a team, or for more'),
  el('p', { class: 'lead' }, 'Say who you are and what you need. A rule of the framework may let it through at once; otherwise the provider team decides.'));

// responsibilities are the words that are accepted, exactly as they will be
// kept: as text, with their hash.
export function responsibilities(terms) {
  return el('section', { class: 'card', 'aria-label': 'Responsibilities' }, el('div', { class: 'card-head' }, el('h2', {}, 'Responsibilities'), el('span', { class: 'muted' }, `framework ${terms.framework} ${terms.version}, text `, el('code', { title: terms.hash }, short(terms.hash)))),
    el('pre', { class: 'terms', id: 'terms', tabindex: 0 }, terms.text));
}

// several lets the reader choose where more than one framework is in force.
async function several(err) {
  if (err.status !== 409 && err.status !== 400 && err.status !== 422) return problem(err);
  const { items } = await all('/v1/frameworks/-/versions');
  const inForce = items.filter((v) => v.state === 'in-force');
  if (inForce.length < 2) return problem(err);
  return el('div', { class: 'card padded stack' }, el('p', {}, 'Several frameworks are in force. Whose responsibilities does the team accept?'),
    el('ul', {}, inForce.map((v) => el('li', {}, el('a', { href: `/console/onboarding?new=1&framework=${encodeURIComponent(v.framework)}` }, v.framework), v.title && ` (${v.title})`))));
}
