// One API version along its environments, with all that may be done with it.
import { el, put } from '/shared/dom.js';
import { all, get, refOf, versionPath } from '/shared/api.js';
import { can, notYours, which, why } from '/shared/permission.js';
import { empty } from '/shared/problem.js';
import { sheet } from '/shared/sheet.js';
import { table } from '/shared/table.js';
import { badge, ends, plural, short, tag, when } from '/shared/format.js';
import { ordered, places } from './lane.js';
import { canary, planOf } from './canary.js';
import { bringOut, cancel, decision, rollback, takeOut } from './move.js';
import { compare } from './compare.js';

const actions = { create: 'release.create', promote: 'release.promote', rollback: 'release.rollback', withdraw: 'release.withdraw', approve: 'release.approve', reject: 'release.reject', pause: 'release.pause', resume: 'release.resume',
  abort: 'release.abort', finish: 'release.finish', cancel: 'release.cancel', override: 'release.override', diff: 'release.diff' };

export async function open(place, id, session) {
  const { team, name, version } = refOf(id);
  if (!version) return put(place, el('h1', { tabindex: -1 }, 'Releases'), el('div', { class: 'card' }, empty('Which version?', `"${id}" is not TEAM/NAME@VERSION.`)));
  const on = `API/${team}/${name}`;
  const sees = await why('release.get', on);
  if (!sees.allowed) return put(place, el('h1', { tabindex: -1 }, id), notYours(sees));
  const [status, environments, revisions, schedules, gate, may] = await Promise.all([all(versionPath(id, 'status')), all('/v1/environments'), can('revision.list', on).then((ok) => (ok ? get(versionPath(id, 'revisions'), { limit: 20 }) : { items: [] })),
    all('/v1/release-schedules', { team, state: 'waiting' }), get('/v1/gate', { api: `${team}/${name}`, limit: 1000 }).catch(() => ({ items: [] })), which(Object.fromEntries(Object.entries(actions).map(([k, a]) => [k, [a, on]])))]);
  const names = ordered(environments.items), lane = places(status.items).get(id) ?? new Map();
  const ctx = { id, may, names, lane, newest: revisions.items[0]?.hash, me: session.subject, again: () => open(place, id, session) };
  put(place, el('div', {}, el('p', { class: 'crumbs' }, el('a', { href: '/console/release' }, 'Releases'), ` / ${team}/${name}`),
    el('div', { class: 'row spread' }, el('h1', { tabindex: -1 }, id), el('div', { class: 'row noprint' }, el('a', { class: 'button', href: `/console/gate?api=${encodeURIComponent(id)}` }, 'Gate'),
      el('button', { type: 'button', onclick: ctx.again }, 'Refresh')))),
  el('ol', { class: 'lane', 'aria-label': 'Environments' }, names.map((e) => stop(e, lane.get(e.name), schedules.items.find((s) => s.environment === e.name && `${s.api}@${s.version}` === id), gate.items.find((g) => g.environment === e.name && g.version === version), ctx))),
  el('section', { class: 'stack', 'aria-label': 'Revisions' }, el('h2', {}, 'Revisions'), list(revisions.items, ctx)));
}

// stop is one environment of the lane.
function stop(e, p, schedule, gate, ctx) {
  const { may, id } = ctx;
  const later = ctx.names.filter((n) => n.name !== e.name);
  const deeds = [
    p?.revision && may.promote && later.length > 0 && el('button', { type: 'button', class: 'first', onclick: () => bringOut(ctx, { from: e.name, revision: p.revision }) }, 'Promote'),
    may.create && ctx.newest && comes(e, ctx) && p?.revision !== ctx.newest && p?.proposed !== ctx.newest && el('button', { type: 'button', onclick: () => bringOut(ctx, { to: e.name, revision: ctx.newest }) }, p?.revision ? 'Release the newest' : 'Release'),
    p?.revision && may.rollback && el('button', { type: 'button', onclick: () => rollback(ctx, e.name, p.revision) }, 'Roll back'),
    p?.revision && may.withdraw && el('button', { type: 'button', class: 'danger', onclick: () => takeOut(ctx, e.name) }, 'Take out'),
    p?.revision && el('button', { type: 'button', onclick: () => history(ctx, e.name) }, 'History'),
  ].filter(Boolean);
  return el('li', { class: 'card padded stack', 'data-environment': e.name }, el('div', { class: 'row spread' }, el('h2', {}, e.name), el('span', { class: 'row' }, e.stage !== e.name && tag(e.stage), tag({ automatic: 'automatic', manual: 'by hand', approved: 'with approval' }[e.release.mode ?? 'automatic']))),
    p?.revision ? [el('div', { class: 'row' }, el('code', { title: p.revision }, short(p.revision)), badge(p.state), gate && el('a', { class: 'quiet', href: `/console/gate?api=${encodeURIComponent(id)}&environment=${encodeURIComponent(e.name)}`, 'aria-label': `Gate: ${gate.outcome}` }, badge(gate.outcome, `gate: ${gate.outcome}`))),
      // While a release waits, time, person and notes are its own.
      !p.proposed && [el('p', { class: 'muted' }, 'since ', when(p.since), p.by && `, by ${p.by}`), p.note && el('p', { class: 'words' }, p.note)], gateways(p)] : el('p', { class: 'muted' }, 'Not released here.', (e.release.after ?? []).length > 0 && ` It comes after ${e.release.after.join(', ')}.`),
    p?.canary && canary(ctx, e.name, p.canary), p?.proposed && decision(ctx, e.name, p),
    schedule && el('div', { class: 'notice' }, el('p', {}, 'Revision ', el('code', {}, short(schedule.revision)), ' is released ', ends(schedule.at), `, scheduled by ${schedule.by}`, schedule.canary && `, ${planOf(schedule.canary)}`, '.'), may.cancel && el('div', { class: 'row' }, cancel(ctx, e.name))),
    deeds.length > 0 && el('div', { class: 'row noprint' }, deeds));
}

// comes tells whether the newest revision may come here next: it does not
// leave out the environments that come before.
const comes = (e, { lane, newest }) => !(e.release.after ?? []).length || e.release.after.some((n) => lane.get(n)?.revision === newest);

function gateways(p) {
  if (!p.gateways.length) return el('p', { class: 'muted' }, 'No gateway runs this environment.');
  return el('ul', { class: 'small' }, p.gateways.map((g) => el('li', {}, el('div', { class: 'row' }, g.name, badge(g.state)), g.reason && el('div', { class: 'muted wrap' }, g.reason), g.instances.filter((i) => i.reason || i.warning).map((i) => el('div', { class: 'muted wrap' }, `${i.instance}: ${i.reason || i.warning}`)))));
}

function list(items, ctx) {
  return table('Revisions', [
    { head: 'Revision', cell: (r) => el('code', { title: r.hash }, r.hash.slice(0, 12)) }, { head: 'Made', key: (r) => r.created, cell: (r) => when(r.created) }, { head: 'By', key: (r) => r.createdBy, cell: (r) => r.createdBy },
    { head: 'Wanted in', cell: (r) => el('span', { class: 'row' }, (r.environments ?? []).map(tag)) },
    { head: '', cell: (r) => ctx.may.diff && r.hash !== ctx.newest && el('button', { type: 'button', 'aria-label': `Compare ${r.hash.slice(0, 8)} with the newest`, onclick: () => compare(ctx, { revision: r.hash }) }, 'Compare with the newest') },
  ], items, empty('No revision', 'Apply the API to make one.'));
}

function history(ctx, environment) {
  sheet('History', `${ctx.id} in ${environment}`, async () => {
    const { items } = await get(versionPath(ctx.id, 'releases'), { environment, limit: 100 });
    return [el('p', { class: 'muted' }, plural(items.length, 'change'), ', newest first.'), table('History', [
      { head: 'When', cell: (r) => when(r.changed) }, { head: 'Revision', cell: (r) => (r.withdrawn ? 'taken out' : el('code', { title: r.revision }, short(r.revision))) },
      { head: 'By', cell: (r) => r.canaryEnded?.by ?? r.by }, { head: 'State', cell: (r) => badge(r.withdrawn ? 'withdrawn' : r.state, r.canary ? `canary ${r.canary.steps[r.canary.step] ?? ''} %` : undefined) },
      { head: 'Notes', cell: (r) => el('span', { class: 'words' }, r.canaryEnded ? [`canary ${short(r.canaryEnded.revision)} sent back`, r.canaryEnded.reason && `: ${r.canaryEnded.reason}`] : r.note ?? '') },
    ], items, empty('Nothing', 'Nothing was released here.'))];
  });
}
