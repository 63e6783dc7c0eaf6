// One version of a framework: its text, who decided what on it, and what became
// of the APIs that it judges.
import { el, put, facts } from '/shared/dom.js';
import { get, path, post } from '/shared/api.js';
import { which } from '/shared/permission.js';
import { decide } from '/shared/deed.js';
import { evidence } from '/shared/evidence.js';
import { empty, problem } from '/shared/problem.js';
import { table } from '/shared/table.js';
import { badge, plural, short, tag, when } from '/shared/format.js';
import { controls, policies } from './controls.js';
import { comments } from './comments.js';

export async function open(place, name, version, session) {
  const at = (...more) => path('frameworks', name, 'versions', version, ...more);
  const on = 'Framework/' + name;
  const [v, may] = await Promise.all([get(at()), which({ approve: ['framework.approve', on], reject: ['framework.reject', on], submit: ['framework.submit', on], enforce: ['framework.enforce', on],
    withdraw: ['framework.withdraw', on], upload: ['evidence.create'], comment: ['framework.comment', on], evidence: ['gate.evidence', on] })]);
  const again = () => open(place, name, version, session);
  const text = v.text?.version ?? {};
  put(place, el('div', {}, el('p', { class: 'crumbs' }, el('a', { href: '/console/framework' }, 'Frameworks'), ` / ${name}`),
    el('div', { class: 'row spread' }, el('h1', { tabindex: -1 }, `${name} ${version}`), el('div', { class: 'row noprint' }, badge(v.state),
      may.evidence && el('a', { class: 'button', href: path('frameworks', name, 'evidence'), download: `${name}-evidence.zip` }, 'Evidence for auditors')))),
  v.title && el('p', { class: 'lead' }, v.title),
  el('div', { class: 'pair' }, standing(v), moves(v, may, at, again, session)),
  decisions(v),
  el('section', { class: 'stack', 'aria-label': 'Controls' }, el('h2', {}, `${plural((text.controls ?? []).length, 'control')}`), controls(text.controls ?? [])),
  policies(text.policies ?? []), description(v, at), await fallsShort(name, version, v.state), await comments(at, may.comment));
}

function standing(v) {
  return el('section', { class: 'card padded', 'aria-label': 'Where it stands' }, facts([
    ['State', badge(v.state)], ['Since', when(v.since)], ['By', v.by], ['Reason', v.reason], ['Written by', (v.authors ?? []).join(', ')], ['Submitted', v.submitted && el('span', {}, when(v.submitted), ` by ${v.submittedBy}`)],
    ['Approved', when(v.approvedAt)], ['Valid', [v.text?.version.validFrom && `from ${v.text.version.validFrom}`, v.text?.version.validUntil && `until ${v.text.version.validUntil}`].filter(Boolean).join(' ')],
    ['Attestations last', v.text?.version.attestationsLast], ['Hash of the text', v.hash && el('code', { title: v.hash }, v.hash)]]));
}

// moves is what may be done with it now. What is approved or rejected is the
// text that stands on this page: its hash goes along, so that another one that
// waits by now is not decided on.
function moves(v, may, at, again, session) {
  const verbs = [], files = evidence();
  const me = session.subject, author = v.submittedBy === me || (v.authors ?? []).includes(me);
  const spoken = v.decisions.some((d) => d.by === me && d.digest === v.hash);
  let said = null;
  if (v.state === 'submitted') {
    if (author) said = 'You wrote or submitted it, so others decide.';
    else if (spoken) said = 'You have said your word on this text. A person decides once.';
    else {
      if (may.approve) verbs.push({ text: 'Approve', look: 'first', run: (comment) => files.upload().then((evidence) => post(at('approve'), { comment, hash: v.hash, evidence })) });
      if (may.reject) verbs.push({ text: 'Reject', look: 'danger', needs: 'Say why, so that its authors can mend it.', run: (comment) => files.upload().then((evidence) => post(at('reject'), { comment, hash: v.hash, evidence })) });
    }
  }
  if (v.state === 'draft' && may.submit) verbs.push({ text: 'Submit for approval', look: 'first', sure: 'Its text is fixed then. Submit?', run: (reason) => post(at('submit'), { reason }) });
  if (v.state === 'approved' && may.enforce) verbs.push({ text: 'Put in force', look: 'first', sure: 'Every API is judged by it then. Put in force?', run: (reason) => post(at('enforce'), { reason }) });
  if (['draft', 'submitted', 'approved', 'in-force'].includes(v.state) && may.withdraw) verbs.push({ text: 'Withdraw', look: 'danger', needs: 'Say why it ends; the record keeps it.', sure: 'It ends for good. Withdraw?', run: (reason) => post(at('withdraw'), { reason }) });
  return el('section', { class: 'card padded stack', id: 'moves', 'aria-label': 'What to do' }, el('h2', {}, heading(v)), approvals(v), said && el('p', { class: 'muted' }, said),
    verbs.length > 0 ? [v.state === 'submitted' && el('p', { class: 'muted' }, 'You decide on the text with hash ', el('code', { title: v.hash }, short(v.hash)), ', as this page shows it.'), decide('Comment', 'Everybody who may see the framework reads it.', verbs, again, v.state === 'submitted' && may.upload && el('details', {}, el('summary', {}, 'Attach evidence'), files.node))]
      : !said && el('p', { class: 'muted' }, waitsFor[v.state] ?? 'Nothing is to be done with it.'));
}

const waitsFor = {
  draft: 'Somebody who may submit frameworks offers it for approval.', submitted: 'Holders of compliance who did not write it approve it.', approved: 'The provider team puts it in force.',
  'in-force': 'It is what APIs are judged by.', superseded: 'A later version is in force.', withdrawn: 'It ended for good. What changes is a new version.',
};
const heading = (v) => (v.state === 'submitted' ? `${(v.counted ?? []).length} of ${v.approvals} approvals` : { draft: 'A draft', approved: 'Approved', 'in-force': 'In force', superseded: 'Superseded', withdrawn: 'Withdrawn' }[v.state] ?? v.state);

function approvals(v) {
  const counted = v.counted ?? [], not = v.uncounted ?? [];
  if (!counted.length && !not.length) return null;
  return el('ul', {}, counted.map((by) => el('li', {}, el('strong', {}, by), ' approved, and it counts.')), not.map((u) => el('li', {}, el('strong', {}, u.by), ' approved, and it does not count: ', u.why)));
}

function decisions(v) {
  if (!v.decisions.length) return null;
  return el('section', { class: 'stack', 'aria-label': 'Decisions' }, el('h2', {}, 'Who decided what'), table('Decisions', [
    { head: 'Person', key: (d) => d.by, cell: (d) => d.by }, { head: 'Decision', key: (d) => d.decision, cell: (d) => badge(d.decision) }, { head: 'When', key: (d) => d.time, cell: (d) => when(d.time) },
    { head: 'Comment', cell: (d) => el('span', { class: 'wrap' }, d.comment ?? '') }, { head: 'Evidence', cell: (d) => (d.evidence ?? []).map((h) => el('a', { href: path('evidence', h, 'content'), class: 'mono' }, short(h))) },
    { head: 'Of the text', cell: (d) => el('span', {}, el('code', { title: d.digest }, short(d.digest)), d.digest !== v.hash && el('span', { class: 'under' }, 'an earlier one')) },
  ], v.decisions, null));
}

// description is the service description, written by the server and shown in a
// frame that may run nothing.
function description(v, at) {
  const text = (query) => at('document') + '?format=html' + query;
  const frame = el('iframe', { class: 'document', sandbox: '', title: 'Service description', src: text(''), loading: 'lazy' });
  const choose = (approved) => { frame.src = text(approved ? '&approved=true' : ''); };
  return el('section', { class: 'card', 'aria-label': 'Service description' }, el('div', { class: 'card-head' }, el('h2', {}, 'Service description'), el('div', { class: 'row noprint' },
    v.documentHtml && el('label', { class: 'tick' }, el('input', { type: 'checkbox', onchange: (e) => choose(e.currentTarget.checked) }), 'As it was approved, word for word'),
    el('a', { class: 'button', href: at('document') + '?format=markdown', download: `${v.framework}-${v.version}.md` }, 'Markdown'))),
  el('div', { class: 'figure' }, frame));
}

// fallsShort lists who falls short of a version that is in force.
async function fallsShort(name, version, state) {
  if (state !== 'in-force') return null;
  let all;
  try {
    all = await Promise.all([get('/v1/gate', { framework: name, failing: true, limit: 1000 }), get('/v1/gate', { framework: name, onNotice: true, limit: 1000 })]);
  } catch (err) {
    return problem(err);
  }
  const seen = new Map(all.flatMap((page) => page.items).filter((i) => i.frameworkVersion === version).map((i) => [`${i.environment} ${i.api}@${i.version}`, i]));
  return el('section', { class: 'stack', id: 'short', 'aria-label': 'Who falls short' }, el('h2', {}, 'Who falls short'), table('Who falls short', [
    { head: 'API', key: (i) => i.api + i.version, cell: (i) => el('a', { href: `/console/gate?api=${encodeURIComponent(`${i.api}@${i.version}`)}&environment=${encodeURIComponent(i.environment)}` }, `${i.api}@${i.version}`) },
    { head: 'Environment', key: (i) => i.environment, cell: (i) => i.environment }, { head: 'Outcome', key: (i) => i.outcome, cell: (i) => badge(i.outcome) },
    { head: 'Of', cell: (i) => el('span', { class: 'row' }, (i.short ?? []).map(tag)) }, { head: 'May go on until', key: (i) => i.notice, cell: (i) => when(i.notice) ?? '' }, { head: 'Looked at', key: (i) => i.time, cell: (i) => when(i.time) },
  ], [...seen.values()], empty('Nobody falls short', 'Everything that is released obeys this version, as far as you may see it.')));
}
