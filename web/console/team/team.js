// Team: how one team stands: control/team.
import { el, put, facts, link } from '/shared/dom.js';
import { get, path } from '/shared/api.js';
import { can, notYours, why } from '/shared/permission.js';
import { empty } from '/shared/problem.js';
import { badge, ago, count, plural, tag, when } from '/shared/format.js';
import { query } from '/shared/query.js';
import { apis, levels, members, products, subscriptions, support, waivers } from './lists.js';
import { kit } from './kit.js';

export async function show(place) {
  const { team } = query();
  if (!team) return put(place, el('h1', { tabindex: -1 }, 'Team'), el('div', { class: 'card' }, empty('Which team?', 'Home lists the teams that you may see.')));
  await page(place, team, 1);
}

// page draws a team's page; level is that of its heading.
export async function page(place, name, level) {
  const sees = await why('team.get', 'team/' + name);
  if (!sees.allowed) return put(place, el('h' + level, { tabindex: -1 }, name), notYours(sees));
  const [t, mayKit] = await Promise.all([get(path('teams', name, 'overview')), can('team.kit', 'team/' + name)]);
  const held = (what) => (t.withheld ?? []).includes(what);
  put(place,
    el('div', { class: 'row spread' }, el('div', {}, level === 1 && el('p', { class: 'crumbs' }, el('a', { href: '/console/home' }, 'Home'), ' / ', 'Team'),
      el('h' + level, { tabindex: -1, class: 'team-name' }, t.title || t.team), t.title && el('p', { class: 'muted' }, el('code', {}, t.team))),
    el('div', { class: 'row noprint' }, mayKit && el('button', { type: 'button', onclick: () => kit(name, t.environments ?? []) }, 'Starter kit'),
      el('a', { class: 'button', href: `/console/onboarding?new=${encodeURIComponent(name)}` }, 'Ask for more'), el('a', { class: 'button', href: `/console/support?new=${encodeURIComponent(name)}` }, 'Ask for help'), level === 1 && el('button', { type: 'button', onclick: () => page(place, name, level) }, 'Refresh'))),
    t.summary && el('p', { class: 'lead' }, t.summary), tiles(t),
    el('div', { class: 'pair' },
      checklist(t),
      el('div', { class: 'stack' }, about(t), quotas(t.quotas ?? []))),
    section('APIs', t.apis, t.counts.apis, apis(t)), section('Gate: open waivers', t.waivers, t.counts.waivers, waivers(t.waivers ?? [])),
    section('Products', t.products, t.counts.products, products(t)), section('Subscriptions', t.subscriptions, null, subscriptions(t.subscriptions ?? [])),
    section('Support requests', t.support, t.counts.support, support(t.support ?? [], name)), section('Service level attained this month', t.serviceLevels, null, levels(t.serviceLevels ?? [])),
    section('Members', t.members, t.counts.members, members(t, held('members'))), activity(t.activity ?? [], held('activity')),
    el('p', { class: 'muted' }, 'As of ', when(t.time), '.'));
}

// section is a list with its heading, and says when it is not the whole.
function section(title, list, all, node) {
  const shown = (list ?? []).length;
  return el('section', { class: 'stack', 'aria-label': title }, el('h2', {}, title), node, all > shown && shown > 0 && el('p', { class: 'muted' }, `${count(shown)} of ${count(all)} are shown.`));
}

function tiles({ counts: c }) {
  const short = (c.gate?.failed ?? 0) + (c.gate?.waiting ?? 0) + (c.gate?.grace ?? 0);
  const tile = (n, text, tone) => el('div', { class: 'tile card ' + (n && tone ? tone : '') }, el('b', {}, count(n)), el('span', {}, text));
  return el('div', { class: 'tiles' }, tile(c.apis, c.apis === 1 ? 'API' : 'APIs'), tile(c.releases, 'releases wanted'), tile(short, 'fall short of the gate', 'bad'), tile(c.waivers, 'open waivers', 'warn'),
    tile(c.subscriptions, 'subscriptions approved'), tile(c.support, 'open support requests', 'warn'), tile(c.requests, 'requests this month'));
}

function checklist({ checklist: list }) {
  const done = list.filter((i) => i.done).length;
  return el('section', { class: 'card', id: 'checklist', 'aria-label': 'Checklist' },
    el('div', { class: 'card-head' }, el('h2', {}, 'Checklist'), el('span', { class: 'muted' }, `${count(done)} of ${count(list.length)} done; it ticks itself`)),
    el('ul', { class: 'plain-list' }, list.map((i) => el('li', { class: 'todo ' + (i.done ? 'done' : '') }, el('span', { class: 'mark', 'aria-hidden': 'true' }, i.done ? '✓' : '○'),
      el('span', {}, el('span', { class: 'hidden-text' }, i.done ? 'Done: ' : 'To do: '), i.title), el('span', { class: 'under' }, i.done ? i.detail : i.how || i.detail)))));
}

function about(t) {
  const c = t.contacts ?? {};
  return el('section', { class: 'card padded', 'aria-label': 'About the team' }, facts([
    ['Mail', c.email], ['On call', c.onCall], ['Channel', c.channel && link(c.channel)], ['Part of', t.parent && el('a', { href: `/console/team?team=${encodeURIComponent(t.parent)}` }, t.parent)], ['Cost centre', t.costCentre],
    ['May release into', (t.environments ?? []).length ? el('span', { class: 'row' }, t.environments.map(tag)) : 'no environment yet: ask the provider team by an on-boarding'],
    ['Asked for more', (t.onboardings ?? []).length ? t.onboardings.map((o) => el('div', {}, el('a', { href: `/console/onboarding?id=${encodeURIComponent(o.id)}` }, o.id), ' ', badge(o.state), ' ', ago(o.asked))) : null]]));
}

function quotas(list) {
  return el('section', { class: 'card padded stack', 'aria-label': 'Usage against quota' }, el('h2', {}, 'Usage against quota'),
    list.length ? list.map((q) => el('div', {}, el('div', { class: 'row spread' }, el('span', {}, q.quota), el('span', { class: 'muted' }, `${count(q.used)} of ${count(q.most)} (${count(q.percent)} %) `, q.warning && badge(q.warning))),
      el('meter', { class: 'full', min: 0, max: 100, low: 80, high: 99, optimum: 0, value: Math.min(100, q.percent), 'aria-label': `${q.quota}: ${q.percent} per cent used` })))
      : el('p', { class: 'muted' }, 'Nothing bounds this team.'));
}

function activity(list, withheld) {
  return el('section', { class: 'card', 'aria-label': 'Activity' }, el('div', { class: 'card-head' }, el('h2', {}, 'Activity'), el('span', { class: 'muted' }, list.length ? plural(list.length, 'newest event', 'newest events') : '')),
    withheld ? el('p', { class: 'said' }, 'Who may see what members did sees it here; an administrator of the team gives the role.')
      : list.length ? el('ul', { class: 'plain-list' }, list.map((e) => el('li', { class: 'row spread' }, el('span', { class: 'wrap' }, el('code', {}, e.action), ' ', e.object ?? '', e.reason && el('span', { class: 'under muted' }, ` ${e.reason}`)),
        el('span', { class: 'muted' }, e.actor, ' · ', ago(e.time), ' ', e.outcome !== 'allowed' && badge(e.outcome)))))
        : el('p', { class: 'said' }, 'Nothing was done in this team yet.'));
}
