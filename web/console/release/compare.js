// What differs between two revisions, and who is affected.
import { el } from '/shared/dom.js';
import { get, versionPath } from '/shared/api.js';
import { problem } from '/shared/problem.js';
import { sheet } from '/shared/sheet.js';
import { table } from '/shared/table.js';
import { badge, count, plural, short, when } from '/shared/format.js';

export function compare(ctx, ask) {
  sheet('What differs', ctx.id, () => difference(ctx.id, ask));
}

// difference asks for it and shows it.
export async function difference(id, ask) {
  let d;
  try {
    d = await get(versionPath(id, 'diff'), ask);
  } catch (err) {
    return problem(err);
  }
  const side = (s) => el('code', { title: s.revision }, `${s.api}@${s.version}#${short(s.revision)}`);
  if (d.same) return el('p', {}, side(d.from), ' and ', side(d.to), ' are the same.');
  const changes = [...(d.definition ?? []), ...(d.gatehouse ?? [])];
  return el('div', { class: 'stack difference' }, el('p', {}, 'From ', side(d.from), ' to ', side(d.to), '. ', badge(d.breaking ? 'failed' : 'passed', d.breaking ? 'breaks callers' : 'breaks nobody')),
    d.notCompared && el('p', { class: 'muted' }, `The definitions were not compared: ${d.notCompared}.`),
    affected(d),
    changes.length > 0 && el('ul', { class: 'plain-list changes' }, changes.map((c) => el('li', {}, el('div', { class: 'row' }, badge(c.level, { error: 'breaks', warn: 'may break', info: 'harmless' }[c.level] ?? c.level, { error: 'bad', warn: 'warn' }[c.level]), el('span', { class: 'wrap' }, c.text)),
      el('div', { class: 'muted wrap' }, [c.operation && `${c.operation} ${c.path ?? ''}`, c.id].filter(Boolean).join(' · '), c.comment && ` · ${c.comment}`)))),
    d.omitted > 0 && el('p', { class: 'muted' }, `and ${plural(d.omitted, 'more change')}.`));
}

function affected(d) {
  const list = d.affected ?? [];
  if (!list.length) return el('p', { class: 'muted' }, 'Nobody called what is removed or broken since ', when(d.since), '.');
  return el('div', { class: 'stack' }, el('h3', {}, 'Who is affected'), table('Who is affected', [
    { head: 'Application', cell: (a) => el('div', {}, a.application || 'callers without one', a.team && el('span', { class: 'under' }, `team ${a.team}`)) }, { head: 'Calls', cell: (a) => el('span', { class: 'wrap' }, a.operations.join(', ')) },
    { head: 'Requests', num: true, cell: (a) => count(a.requests) }, { head: 'Last', cell: (a) => when(a.last) },
  ], list, null));
}
