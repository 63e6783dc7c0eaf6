// What became of one control, where it is not obeyed, and what may be done.
import { el } from '/shared/dom.js';
import { path } from '/shared/api.js';
import { badge, ends, plural, short, tag } from '/shared/format.js';
import { answer, confirm } from './answer.js';
import { askWaiver } from './waiver.js';

export function control(c, r, ctx) {
  const findings = c.findings ?? [];
  const good = c.outcome === 'passed';
  const head = [badge(c.outcome), el('strong', { class: 'wrap' }, c.title || c.id), el('code', { class: 'muted' }, c.id), tag(c.level), tag(`severity ${c.severity}`)];
  const rest = [
    findings.map(finding), c.more > 0 && el('p', { class: 'muted' }, `and ${plural(c.more, 'more finding')}.`),
    (c.until || c.waiver || (c.evidence ?? []).length > 0) && el('p', { class: 'muted' }, c.waiver && ['Excepted by waiver ', el('a', { href: `/console/gate?waiver=${encodeURIComponent(c.waiver)}` }, c.waiver), '. '],
      c.until && !c.until.startsWith('0001-') && [{ grace: 'May go on until ', waived: 'The exception ends ' }[c.outcome] ?? 'Holds until ', ends(c.until), '. '], (c.evidence ?? []).length > 0 && ['Evidence: ', c.evidence.map((h) => [el('a', { class: 'mono', href: path('evidence', h, 'content') }, short(h)), ' '])]),
    r.framework && deeds(c, r, ctx),
  ];
  if (good) return el('section', { class: 'card control', 'data-outcome': c.outcome, 'aria-label': `Control ${c.id}` }, el('div', { class: 'row' }, head), rest);
  return el('section', { class: 'card control', 'data-outcome': c.outcome, 'aria-label': `Control ${c.id}: ${c.outcome}` }, el('div', { class: 'row' }, head), rest);
}

// finding is one thing that is not obeyed: where it stands, what is wrong, and
// what would satisfy the control.
function finding(f) {
  const at = [f.operation && ['operation ', el('code', {}, f.operation)], f.file && el('code', {}, [f.file, f.line, f.column].filter(Boolean).join(':')), f.object && el('code', {}, [f.object, f.field].filter(Boolean).join(' ')), f.rule && ['rule ', el('code', {}, f.rule)]].filter(Boolean);
  return el('div', { class: 'finding' }, el('p', { class: 'wrap' }, f.detail), at.length > 0 && el('p', { class: 'muted wrap' }, at.map((part, i) => [i > 0 && ' · ', part])),
    f.remedy && el('p', { class: 'wrap' }, el('span', { class: 'muted' }, 'What would satisfy it: '), f.remedy));
}

function deeds(c, r, ctx) {
  const given = ctx.said.find((a) => a.control === c.id && a.framework === r.framework && a.state === 'requested');
  const asked = ctx.exceptions.find((w) => w.control === c.id && w.state === 'requested' && (!w.environment || w.environment === r.environment));
  const open = ['failed', 'waiting', 'grace'].includes(c.outcome);
  const list = [
    c.kind === 'question' && open && given && confirm(c, given, r, ctx),
    c.kind === 'question' && open && !given && ctx.may.answer && el('button', { type: 'button', class: 'first', onclick: () => answer(c, r, ctx) }, 'Answer the question'),
    open && c.level === 'required' && (asked ? el('span', { class: 'muted' }, `A waiver was asked for by ${asked.askedBy} and waits. `, el('a', { href: `/console/gate?waiver=${encodeURIComponent(asked.id)}` }, 'Look at it')) : ctx.may.ask && el('button', { type: 'button', onclick: () => askWaiver(c, r, ctx) }, 'Ask for a waiver')),
  ].filter(Boolean);
  return list.length > 0 && el('div', { class: 'row noprint' }, list);
}
