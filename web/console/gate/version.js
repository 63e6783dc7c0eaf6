// One API version at the gate: what became of each control in an environment,
// and what would satisfy it.
import { el, put, facts } from '/shared/dom.js';
import { all, get, post, refOf, versionPath } from '/shared/api.js';
import { can, notYours, which, why } from '/shared/permission.js';
import { deed } from '/shared/deed.js';
import { empty, problem } from '/shared/problem.js';
import { badge, ends, short, when } from '/shared/format.js';
import { setQuery } from '/shared/query.js';
import { ordered } from '../release/lane.js';
import { control } from './control.js';
import { answers } from './answer.js';
import { waivers } from './waiver.js';

export async function open(place, id, environment, revision, session) {
  const { team, name, version } = refOf(id);
  if (!version) return put(place, el('h1', { tabindex: -1 }, 'Gate'), el('div', { class: 'card' }, empty('Which version?', `"${id}" is not TEAM/NAME@VERSION.`)));
  const on = `API/${team}/${name}`;
  const sees = await why('gate.get', on);
  if (!sees.allowed) return put(place, el('h1', { tabindex: -1 }, id), notYours(sees));
  const [environments, released, may] = await Promise.all([all('/v1/environments'), get('/v1/gate', { api: `${team}/${name}`, limit: 1000 }),
    which({ run: ['gate.run', on], answer: ['gate.answer', on], confirm: ['gate.confirm', on], ask: ['waiver.ask', on], revoke: ['attestation.revoke', on], restore: ['attestation.restore', on], evidence: ['evidence.create', 'team/' + team] })]);
  const names = ordered(environments.items).map((e) => e.name);
  const here = released.items.filter((i) => i.version === version);
  environment ??= (here.find((i) => i.outcome !== 'passed') ?? here[0])?.environment ?? names.at(-1);
  const again = () => open(place, id, environment, revision, session);
  const [run, said, exceptions] = await Promise.all([environment ? get(versionPath(id, 'gate'), { environment, revision }).catch((err) => err) : null,
    all(versionPath(id, 'gate', 'answers')).then((a) => a.items, () => []), all('/v1/waivers', { api: `${team}/${name}` }).then((a) => a.items, () => [])]);
  const told = el('div', { 'aria-live': 'polite' });
  const shown = run instanceof Error ? null : run?.result;
  const newest = (await can('revision.list', on) ? await get(versionPath(id, 'revisions'), { limit: 1 }) : { items: [] }).items[0]?.hash;
  const look = (button, hash) => deed(button, told, async () => {
    const { result } = await post(versionPath(id, 'gate', 'run'), { environment, revision: hash });
    setQuery({ api: id, environment, revision: result.released ? '' : result.revision });
    await open(place, id, environment, result.released ? undefined : result.revision, session);
  });
  put(place, el('div', {}, el('p', { class: 'crumbs' }, el('a', { href: '/console/gate' }, 'Gate'), ` / ${team}/${name}`),
    el('div', { class: 'row spread' }, el('h1', { tabindex: -1 }, id), el('div', { class: 'row noprint' }, el('a', { class: 'button', href: `/console/release?api=${encodeURIComponent(id)}` }, 'Releases'),
      may.run && environment && [shown && el('button', { type: 'button', onclick: (e) => look(e.currentTarget, shown.revision) }, 'Look again'),
        newest !== shown?.revision && el('button', { type: 'button', class: 'first', onclick: (e) => look(e.currentTarget) }, 'Look at the newest revision')]))),
  el('nav', { class: 'tabs', 'aria-label': 'Environments' }, names.map((e) => el('a', { href: `/console/gate?api=${encodeURIComponent(id)}&environment=${encodeURIComponent(e)}`, 'aria-current': e === environment ? 'page' : null },
    e, ' ', outcome(here, e)))),
  told, run instanceof Error ? missing(run, id, environment) : run && result(run, { id, environment, may, said, exceptions, again, team, me: session.subject }),
  said.length > 0 && el('section', { class: 'stack', 'aria-label': 'Answers' }, el('h2', {}, 'What was answered'), answers(said)),
  el('section', { class: 'stack', 'aria-label': 'Waivers' }, el('h2', {}, 'Waivers of this API'), waivers(exceptions, again)));
}

const outcome = (list, environment) => {
  const i = list.find((x) => x.environment === environment);
  return i ? badge(i.outcome) : el('span', { class: 'muted' }, 'not released');
};

function missing(err, id, environment) {
  if (err.status !== 404) return problem(err);
  return el('div', { class: 'card' }, empty('The gate has not looked at it yet', `Let it look at the newest revision of ${id} as if it were released into ${environment}: nothing is released by that.`, `gatehouse gate run ${id} --env ${environment}`));
}

const order = ['failed', 'waiting', 'grace', 'advisory', 'waived', 'passed'];
const told = {
  passed: 'It passes: every required control is obeyed.', waived: 'It passes with exceptions that end.', grace: 'It falls short of what is new, and may go on until the period of grace ends.',
  waiting: 'It waits for a person: see below who.', failed: 'It does not pass. Each control below says what would satisfy it.',
};

function result({ result: r, attestation: a }, ctx) {
  const list = [...(r.controls ?? [])].sort((x, y) => order.indexOf(x.outcome) - order.indexOf(y.outcome));
  const tone = { passed: 'good', waived: 'good', failed: 'bad' }[r.outcome] ?? 'warn';
  return el('div', { class: 'stack' },
    el('div', { class: 'notice ' + tone, id: 'outcome' }, el('div', { class: 'row' }, badge(r.outcome), el('strong', {}, r.reason || told[r.outcome])),
      el('p', { class: 'muted' }, r.framework ? `By framework ${r.framework} ${r.frameworkVersion}, ` : '', `revision `, el('code', { title: r.revision }, short(r.revision)), r.released ? ', which is released there' : ', which is not released there', `; looked at `, when(r.time), ` for ${r.by}. `,
        { enforce: 'Gateways of this environment refuse what does not pass.', report: 'This environment reports and refuses nothing.', off: 'The gate of this environment is switched off.' }[r.mode])),
    attestation(a, r, ctx),
    el('section', { class: 'stack', id: 'controls', 'aria-label': 'Controls' }, el('h2', {}, 'Controls'), list.length ? list.map((c) => control(c, r, ctx)) : el('div', { class: 'card' }, empty('No control was asked', r.reason || 'The framework demands nothing here.'))));
}

function attestation(a, r, { id, environment, may, again }) {
  if (!a) return null;
  const revoked = a.revoked && !a.revoked.startsWith('0001-');
  const said = el('div', { 'aria-live': 'polite' });
  const reason = el('input', { type: 'text', maxlength: 2000, placeholder: revoked ? 'why it goes through the gate again' : 'why it is taken back', 'aria-label': 'Reason' });
  const move = (button, verb) => deed(button, said, async () => { await post(versionPath(id, 'gate', verb), { environment, revision: r.revision, reason: reason.value }); await again(); });
  const offer = revoked ? may.restore : may.revoke;
  return el('details', { class: 'card padded' }, el('summary', {}, el('strong', {}, revoked ? 'The attestation was taken back' : 'The attestation'), ' ', el('span', { class: 'muted' }, revoked ? a.reason : 'what gateways verify')),
    facts([['Id', a.statement?.id ?? a.id ?? r.attestation], ['Ends', ends(r.expires)], ['Made for', a.by], ['Taken back', revoked ? el('span', {}, when(a.revoked), ` by ${a.revokedBy}`) : null], ['Reason', a.reason]]),
    offer && el('div', { class: 'row deeds' }, reason, el('button', { type: 'button', class: revoked ? '' : 'danger', onclick: (e) => move(e.currentTarget, revoked ? 'restore' : 'revoke') }, revoked ? 'Let it go through again' : 'Take it back'), said));
}
