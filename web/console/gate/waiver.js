// Waivers: exceptions of one API from one control that end by themselves.
import { el, put, facts, field, options } from '/shared/dom.js';
import { get, path, post } from '/shared/api.js';
import { can, notYours, why } from '/shared/permission.js';
import { decide, form } from '/shared/deed.js';
import { sheet } from '/shared/sheet.js';
import { table } from '/shared/table.js';
import { badge, ends, when } from '/shared/format.js';
import { fromLocal, toLocal } from '/shared/query.js';

// waivers lists some.
export function waivers(list, again) {
  return table('Waivers', [
    { head: 'Excepted', key: (w) => w.api, cell: (w) => el('div', {}, el('button', { type: 'button', class: 'plain', onclick: () => openWaiver(w.id, again) }, w.api), el('span', { class: 'under' }, w.environment ? `in ${w.environment}` : 'in all environments')) },
    { head: 'From', key: (w) => w.control, cell: (w) => el('div', {}, el('code', {}, w.control), el('span', { class: 'under' }, `framework ${w.framework}`)) },
    { head: 'State', key: (w) => w.state, cell: (w) => badge(w.state) }, { head: 'Ends', key: (w) => w.expires, cell: (w) => ends(w.expires) },
    { head: 'Reason', cell: (w) => el('span', { class: 'wrap' }, w.reason) }, { head: 'Asked by', key: (w) => w.askedBy, cell: (w) => w.askedBy },
    { head: 'Decided by', key: (w) => w.decidedBy, cell: (w) => w.decidedBy ?? '' },
    { head: '', cell: (w) => w.state === 'requested' && el('button', { type: 'button', 'aria-label': `Decide on the waiver of ${w.api} from ${w.control}`, onclick: () => openWaiver(w.id, again) }, 'Decide') },
  ], list, el('p', { class: 'said' }, 'There is none. Where a control cannot be obeyed yet, ask for one on the page of the API’s gate: somebody else approves it, and it ends on its day.'));
}

// openWaiver shows one with what may be done with it.
export function openWaiver(id, changed) {
  let dirty = false;
  const box = sheet('Waiver', id, async ({ draw }) => {
    const w = await get(path('waivers', id));
    const on = 'API/' + w.api.split('@')[0];
    return [facts([['State', badge(w.state)], ['Excepted', w.api], ['From control', el('code', {}, w.control)], ['Of framework', w.framework], ['In', w.environment || 'all environments'], ['Ends', ends(w.expires)],
      ['Reason', el('span', { class: 'words' }, w.reason)], ['Asked by', el('span', {}, w.askedBy, ', ', when(w.asked))], ['Decided by', w.decidedBy && el('span', {}, w.decidedBy, ', ', when(w.decided))], ['Comment', w.comment]]),
    await verbs(w, on, () => { dirty = true; draw(); })];
  });
  box.addEventListener('close', () => dirty && changed());
}

async function verbs(w, on, again) {
  const run = (verb) => (comment) => post(path('waivers', w.id, verb), { comment });
  if (w.state === 'requested') {
    const [me, may, reject] = await Promise.all([get('/v1/whoami'), why('waiver.approve', on), can('waiver.reject', on)]);
    if (!may.allowed) return notYours(may, 'Not yours to decide');
    if (w.askedBy === me.subject) return el('p', { class: 'muted' }, 'You asked for it, so somebody else decides.');
    return decide('Comment', 'The record keeps it.', [{ text: 'Approve', look: 'first', run: run('approve') }, ...(reject ? [{ text: 'Reject', look: 'danger', needs: 'Say why, so that whoever asked knows what to do.', run: run('reject') }] : [])], again);
  }
  if (w.state !== 'approved' || !await can('waiver.revoke', on)) return null;
  return decide('Comment', 'Why it ends before its time.', [{ text: 'End it now', look: 'danger', needs: 'Say why, for the record.', sure: 'The control binds again at once. End it?', run: run('revoke') }], again);
}

// askWaiver asks for an exception from one control.
export function askWaiver(c, r, { id, again }) {
  const days = 24 * 3600e3;
  const reason = el('textarea', { required: true, maxlength: 4000, rows: 3, placeholder: 'Why it cannot be obeyed yet, and what will change until then.' });
  const until = el('input', { type: 'datetime-local', required: true, step: 60, min: toLocal(new Date().toISOString()).slice(0, 16), value: toLocal(new Date(Date.now() + 30 * days).toISOString()).slice(0, 16) });
  const scope = el('select', {}, options([[id, `this version, ${id}`], [r.api, `all versions of ${r.api}`]], id));
  const where = el('select', {}, options([[r.environment, r.environment], ['', 'all environments']], r.environment));
  const box = sheet('Ask for a waiver', `from control ${c.id}`, () => [
    el('p', {}, 'A waiver excepts one API from one control until a day. Somebody else approves it; until then it excepts from nothing. It ends by itself, with a warning before.'),
    form([field('Reason', reason), el('div', { class: 'fields' }, field('Ends (your time zone)', until), field('For', scope), field('In', where))], 'Ask', async () => {
      await post('/v1/waivers', { api: scope.value, control: c.id, framework: r.framework, environment: where.value || undefined, reason: reason.value, expires: fromLocal(until.value) });
      box.close();
      await again();
    })]);
}
