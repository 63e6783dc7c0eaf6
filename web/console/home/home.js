// Home: what waits for the reader, and how every team stands that they may see.
import { el, put, field } from '/shared/dom.js';
import { get } from '/shared/api.js';
import { everywhere } from '/shared/permission.js';
import { empty, problem } from '/shared/problem.js';
import { table } from '/shared/table.js';
import { badge, count, plural, until } from '/shared/format.js';
import { query, setQuery } from '/shared/query.js';
import { given } from '/shared/teams.js';
import { page } from '../team/team.js';
import { waiting } from './waiting.js';

const most = 2000; // teams that are shown

export async function show(place, session) {
  const [open, teams] = await Promise.all([get('/v1/waiting').catch((err) => err), overview()]);
  const waits = open instanceof Error ? problem(open) : waiting(open);
  const head = (title, lead) => [el('div', { class: 'row spread' }, el('h1', { tabindex: -1 }, title), el('button', { type: 'button', class: 'noprint', onclick: () => show(place, session) }, 'Refresh')), el('p', { class: 'lead' }, lead)];
  if (!teams.items.length) {
    const roles = given(session.assignments);
    if (roles.length) {
      return put(place, head('Home', 'What waits for you.'), waits, el('div', { class: 'card' }, empty('Your applications are in the portal', `What you were given on ${roles.join(', ')} is about applications, and not about how the team stands.`),
        el('p', { class: 'said centre' }, el('a', { class: 'button first', href: '/portal/mine' }, 'Go to my applications'))));
    }
    const asked = (await get('/v1/onboardings', { mine: true, limit: 20 }).catch(() => ({ items: [] }))).items.filter((o) => ['requested', 'asked-back', 'answered'].includes(o.state));
    return put(place, head('Home', 'What waits for you, and how your teams stand.'), waits, el('div', { class: 'card' }, asked.length ? empty('You asked for a team', 'You will see it here once the provider team has let it through.') : empty('You are of no team yet', 'Teams come onto the platform by asking. It takes a few minutes, and the provider team decides.'),
      el('p', { class: 'said centre' }, asked.length ? asked.map((o) => el('a', { class: 'button', href: `/console/onboarding?id=${encodeURIComponent(o.id)}` }, o.id, ' ', badge(o.state))) : el('a', { class: 'button first', href: '/console/onboarding?new=1' }, 'Ask for a team'))));
  }
  if (teams.items.length === 1 && !everywhere(session)) {
    const team = el('div', { class: 'stack' });
    put(place, head('Home', 'What waits for you, and how your team stands.'), waits, team);
    return page(team, teams.items[0].team, 2);
  }
  const found = el('div');
  const asked = query();
  const filter = el('input', { type: 'search', value: asked.q ?? '', placeholder: 'team…', oninput: () => draw() });
  const only = el('select', { onchange: () => draw() }, Object.entries(wishes).map(([value, [text]]) => el('option', { value, selected: asked.only === value }, text)));
  put(place, head('Home', 'What waits for you, and how all teams stand.'), waits, tiles(teams),
    el('div', { class: 'controls noprint' }, el('label', { class: 'field grow' }, el('span', {}, 'Filter'), filter), field('Only those with', only)), found,
    teams.more && el('p', { class: 'muted' }, `These are the first ${count(teams.items.length)} teams by name; "gatehouse team list" has all.`));
  draw();

  function draw() {
    setQuery({ q: filter.value, only: only.value });
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const list = teams.items.filter((r) => wishes[only.value][1](r) && words.every((w) => `${r.team} ${r.title ?? ''}`.toLowerCase().includes(w)));
    put(found, table('Teams', columns, list, empty('No team matches', 'Take something out of the filter.')));
  }
}

// overview reads how all teams stand, page by page.
async function overview() {
  const items = [];
  let after = '';
  do {
    const page = await get('/v1/overview', { limit: 200, after });
    items.push(...page.items);
    after = page.next ?? '';
  } while (after && items.length < most);
  return { items, more: Boolean(after) };
}

const short = (r) => (r.counts.gate?.failed ?? 0) + (r.counts.gate?.waiting ?? 0) + (r.counts.gate?.grace ?? 0);
const warned = (r) => (r.quotas ?? []).filter((q) => q.warning).length;
const wishes = {
  '': ['anything', () => true],
  short: ['APIs that fall short', (r) => short(r) > 0],
  waivers: ['open waivers', (r) => r.counts.waivers > 0],
  support: ['open support requests', (r) => r.counts.support > 0],
  quota: ['a quota nearly used up', (r) => warned(r) > 0],
  waiting: ['something that waits', (r) => r.counts.waiting + r.counts.asked > 0],
};

function tiles({ items }) {
  const sum = (f) => items.reduce((n, r) => n + f(r), 0);
  const tile = (n, text, tone) => el('div', { class: 'tile card ' + (n && tone ? tone : '') }, el('b', {}, count(n)), el('span', {}, text));
  return el('div', { class: 'tiles' }, tile(items.length, items.length === 1 ? 'team' : 'teams'), tile(sum((r) => r.counts.apis), 'APIs'), tile(sum((r) => r.counts.releases), 'releases wanted'),
    tile(sum(short), 'fall short of the gate', 'bad'), tile(sum((r) => r.counts.waivers), 'open waivers', 'warn'), tile(sum((r) => r.counts.support), 'open support requests', 'warn'), tile(sum((r) => r.counts.requests), 'requests this month'));
}

// gate shows how what is released stands, by outcome.
export function gate(counts) {
  const list = Object.entries(counts ?? {}).filter(([, n]) => n > 0);
  return list.length ? el('span', { class: 'row' }, list.map(([outcome, n]) => badge(outcome, `${count(n)} ${outcome === 'none' ? 'not looked at' : outcome}`))) : '';
}

const columns = [
  { head: 'Team', key: (r) => r.team, cell: (r) => el('div', {}, el('a', { href: `/console/team?team=${encodeURIComponent(r.team)}` }, r.team), r.title && el('span', { class: 'under' }, r.title)) },
  { head: 'Members', num: true, key: (r) => r.counts.members, cell: (r) => count(r.counts.members) },
  { head: 'APIs', num: true, key: (r) => r.counts.apis, cell: (r) => count(r.counts.apis) },
  { head: 'Released', num: true, key: (r) => r.counts.releases, cell: (r) => el('span', {}, count(r.counts.releases), r.counts.waiting > 0 && el('span', { class: 'under' }, `${plural(r.counts.waiting, 'waits', 'wait')}`)) },
  { head: 'Gate', key: (r) => -short(r), cell: (r) => gate(r.counts.gate) },
  { head: 'Waivers', num: true, key: (r) => r.counts.waivers, cell: (r) => el('span', {}, count(r.counts.waivers), r.waiverEnds && el('span', { class: 'under' }, 'first ends ', until(r.waiverEnds))) },
  { head: 'Subscriptions', num: true, key: (r) => r.counts.subscriptions, cell: (r) => el('span', {}, count(r.counts.subscriptions), r.counts.asked > 0 && el('span', { class: 'under' }, `${plural(r.counts.asked, 'asks', 'ask')}`)) },
  { head: 'Support', num: true, key: (r) => r.counts.support, cell: (r) => count(r.counts.support) },
  { head: 'Requests', num: true, key: (r) => r.counts.requests, cell: (r) => count(r.counts.requests) },
  { head: 'Quota', num: true, key: (r) => Math.max(0, ...(r.quotas ?? []).map((q) => q.percent)), cell: worst },
  { head: 'To do', num: true, key: (r) => r.counts.left, cell: (r) => (r.counts.left ? count(r.counts.left) : el('span', { class: 'come', title: 'The checklist is done' }, 'done')) },
];

// worst is the quota that is used up most.
function worst(r) {
  const q = (r.quotas ?? []).reduce((a, b) => (b.percent > (a?.percent ?? -1) ? b : a), null);
  return q && el('span', {}, `${count(q.percent)} %`, el('span', { class: 'under' }, q.quota), q.warning && badge(q.warning));
}
