// One support request: what was said, how its clocks stand, and what to say.
import { el, put, facts, field, options } from '/shared/dom.js';
import { get, path, post } from '/shared/api.js';
import { can } from '/shared/permission.js';
import { deed, form } from '/shared/deed.js';
import { badge, bytes, tag, when } from '/shared/format.js';
import { uploads } from './ask.js';
import { clock } from './clock.js';
import { tone } from './support.js';

export async function open(place, id, session) {
  const at = (...more) => path('support', id, ...more);
  const q = await get(at());
  const asking = 'team/' + q.from, helping = q.to ? 'team/' + q.to : undefined;
  const [asks, helps, assigns, closes, closesToo, reopens, reopensToo] = await Promise.all([can('support.reply', asking), can('support.reply', helping), can('support.assign', helping), can('support.close', asking), can('support.close', helping), can('support.reopen', asking), can('support.reopen', helping)]);
  const again = () => open(place, id, session);
  const over = q.state === 'closed', settled = over || q.state === 'resolved';
  put(place, el('div', {}, el('p', { class: 'crumbs' }, el('a', { href: '/console/support' }, 'Support'), ` / ${q.id}`),
    el('div', { class: 'row spread' }, el('h1', { tabindex: -1 }, q.title), el('span', { class: 'row' }, badge(q.severity), badge(q.state, q.state, tone(q.state))))),
  el('div', { class: 'pair' }, about(q), el('section', { class: 'card padded stack', 'aria-label': 'Clocks' }, el('h2', {}, 'What is promised'), facts([['First answer', clock(q.firstResponse)], ['Solution', clock(q.resolution)], ['By', q.promise], ['In the hours', q.hours]]),
    assigns && !settled && assign(q, at, session, again))),
  thread(q, at), !over && (asks || helps) && reply(q, at, asks, helps, session, again),
  el('div', { class: 'row noprint deeds' }, !over && (closes || closesToo) && move('close', 'Close it', at, again), settled && (reopens || reopensToo) && move('reopen', 'Open it again', at, again)));
}

function about(q) {
  return el('section', { class: 'card padded', 'aria-label': 'About' }, facts([['Asks', el('span', {}, q.from, ` (${q.openedBy})`)], ['Helps', q.provider ? 'the provider team' : q.to], ['Taken up by', q.assignee], ['API', q.api && el('a', { href: `/console/release?api=${encodeURIComponent(q.api)}` }, q.api)],
    ['Application', q.application], ['Category', tag(q.category)], ['Opened', when(q.opened)], ['In this state', el('span', {}, 'since ', when(q.since), ` by ${q.by}`)], ['Reopened', q.reopened ? `${q.reopened} times` : null]]));
}

function thread(q, at) {
  return el('section', { class: 'card', id: 'thread', 'aria-label': 'What was said' }, el('div', { class: 'card-head' }, el('h2', {}, 'What was said')), el('ol', { class: 'plain-list' }, (q.comments ?? []).map((c) => el('li', { class: c.team === q.from ? 'asking' : 'helping' },
    el('div', { class: 'row muted' }, el('strong', {}, c.by), c.team && tag(c.team), when(c.time), c.state && badge(c.state, c.state, tone(c.state))), el('p', { class: 'words' }, c.text),
    (c.attachments ?? []).length > 0 && el('p', { class: 'row' }, c.attachments.map((a) => attachment(a, at)))))));
}

// attachment is a file to take away; it is asked for when it is pressed.
function attachment(a, at) {
  const said = el('span', { 'aria-live': 'polite' });
  const save = (button) => deed(button, said, async () => {
    const file = await get(at('attachments', a.hash));
    const all = Uint8Array.from(atob(file.content), (c) => c.charCodeAt(0));
    const to = URL.createObjectURL(new Blob([all], { type: 'application/octet-stream' }));
    el('a', { href: to, download: a.name }).click();
    setTimeout(() => URL.revokeObjectURL(to), 60000);
  });
  return el('span', { class: 'deeds' }, el('button', { type: 'button', onclick: (e) => save(e.currentTarget) }, `Save ${a.name}`, el('span', { class: 'muted' }, bytes(a.size))), said);
}

function reply(q, at, asks, helps, session, again) {
  const text = el('textarea', { required: true, maxlength: 20000, rows: 4, id: 'reply' });
  const files = el('input', { type: 'file', multiple: true });
  const side = asks && helps ? el('select', {}, options([['asking', `for ${q.from}, which asks`], ['helping', `for ${q.to || 'the provider'}, which helps`]], q.openedBy === session.subject ? 'asking' : 'helping')) : null;
  const then = helps ? el('select', {}, options([['', 'it goes on'], ['wait', 'we wait for them: the clocks stand'], ['resolve', 'it is solved']], '')) : null;
  return el('section', { class: 'card padded', 'aria-label': 'Answer' }, form([field('Say something', text), el('div', { class: 'fields' }, side && field('You speak', side), then && field('And then (of the helping side)', then), field('Files (1 MiB each at most)', files))], 'Send', async () => {
    const as = side ? side.value : helps ? 'helping' : 'asking';
    await post(at('reply'), { text: text.value, as, wait: (as === 'helping' && then?.value === 'wait') || undefined, resolve: (as === 'helping' && then?.value === 'resolve') || undefined, attachments: await uploads(files) });
    await again();
  }));
}

function assign(q, at, session, again) {
  const who = el('input', { type: 'text', value: q.assignee || session.subject, maxlength: 300, spellcheck: 'false', required: true });
  return form([field('Taken up by', who)], 'Assign', async () => { await post(at('assign'), { assignee: who.value.trim() }); await again(); }, '');
}

function move(verb, label, at, again) {
  const said = el('span', { 'aria-live': 'polite' });
  const run = async (button) => { if (await deed(button, said, () => post(at(verb), {}))) again(); };
  return el('span', {}, el('button', { type: 'button', onclick: (e) => run(e.currentTarget) }, label), said);
}
