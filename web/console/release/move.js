// What moves a revision: promoting, releasing, approving, rolling back, taking
// out.
import { el, put, field, options } from '/shared/dom.js';
import { get, post, versionPath } from '/shared/api.js';
import { deed, decide, form } from '/shared/deed.js';
import { sheet } from '/shared/sheet.js';
import { sure } from '/shared/sure.js';
import { badge, short, when } from '/shared/format.js';
import { fromLocal, toLocal } from '/shared/query.js';
import { planOf, planner } from './canary.js';
import { compare, difference } from './compare.js';

// bringOut asks for all that a release takes: from is set to promote what is
// live there, to when the target stands.
export function bringOut(ctx, { from, to, revision }) {
  const { id, names, may, lane } = ctx;
  const index = names.findIndex((n) => n.name === from);
  const next = names.slice(index + 1).find((n) => lane.get(n.name)?.revision !== revision) ?? names.find((n) => n.name !== from);
  const target = to ? null : el('select', { onchange: () => show() }, options(names.filter((n) => n.name !== from).map((n) => n.name), next?.name));
  const where = () => to ?? target.value;
  const note = el('textarea', { maxlength: 4000, rows: 2, placeholder: 'What is new, for those who use it.' });
  const at = el('input', { type: 'datetime-local', step: 60, min: toLocal(new Date().toISOString()).slice(0, 16) });
  const override = el('input', { type: 'text', maxlength: 2000, placeholder: 'only where a freeze stands in the way' });
  const steps = planner();
  const changes = el('div', { class: 'stack', 'aria-live': 'polite' });
  const told = el('p', { class: 'muted' });
  const show = () => {
    const live = lane.get(where())?.revision;
    const mode = names.find((n) => n.name === where())?.release.mode;
    put(told, mode === 'approved' ? `Releases into ${where()} wait for approval by somebody else.` : `It is released into ${where()} at once, or at the time you give.`);
    put(changes, live === revision ? el('p', { class: 'muted' }, 'This revision is live there already; releasing it changes nothing.') : live ? el('p', { class: 'busy' }, 'Comparing with what is live there…') : el('p', { class: 'muted' }, 'Nothing of this version is live there yet.'));
    if (live && live !== revision && may.diff) difference(id, { environment: where(), to: `${id}#${revision}` }).then((node) => put(changes, node));
  };
  const box = sheet(from ? 'Promote' : 'Release', `${id}, revision ${short(revision)}${from ? `, live in ${from}` : ''}`, () => {
    show();
    return [form([target && field('Into', target), told, field('Release notes', note), el('div', { class: 'fields' }, field('At (your time zone; empty: at once)', at), may.override && field('Override a freeze, because', override)), steps.node,
      el('details', { class: 'card padded', open: true }, el('summary', {}, 'What it changes there, and for whom'), changes)], from ? 'Promote' : 'Release', async () => {
      const terms = { note: note.value || undefined, at: fromLocal(at.value) || undefined, canary: steps.plan(), override: override.value || undefined };
      const answer = from ? await post(versionPath(id, 'promote'), { from, to: where(), ...terms }) : await post(versionPath(id, 'release'), { environment: where(), revision, ...terms });
      await ctx.again();
      put(box.querySelector('.body'), outcome(answer, where()));
      box.querySelector('header button').focus();
    })];
  });
}

// outcome tells what became of it.
function outcome(a, environment) {
  const said = a.schedule ? ['It is released ', when(a.schedule.at), '.'] : a.state === 'requested' ? [`It waits for ${a.needed > 1 ? `${a.needed} approvals` : 'an approval'} by somebody else.`] : a.canary ? ['It takes its first callers now: ', planOf(a.canary), '.'] : a.seq ? ['It is released. Gateways that are connected run it within a second.'] : ['Nothing changed: it was so already.'];
  return [el('div', { class: 'notice good', id: 'released', role: 'status' }, el('strong', {}, `${environment}. `), said),
    (a.notPlaced ?? []).length > 0 && el('div', { class: 'notice warn' }, el('strong', {}, 'Some gateways do not get it:'), el('ul', {}, a.notPlaced.map((n) => el('li', {}, n))))];
}

// decision is a release that waits, with the verbs of who may decide.
export function decision(ctx, environment, p) {
  const { id, may } = ctx;
  const verbs = [may.approve && { text: 'Approve', look: 'first', run: (reason) => post(versionPath(id, 'approve'), { environment, reason: reason || undefined }) },
    may.reject && { text: 'Reject', look: 'danger', needs: 'Say why, so that whoever asked knows what to change.', run: (reason) => post(versionPath(id, 'reject'), { environment, reason }) }].filter(Boolean);
  const diff = el('div', { class: 'row' }, may.diff && p.revision && el('button', { type: 'button', onclick: () => compare(ctx, { environment, to: `${id}#${p.proposed}` }) }, 'What it changes, and for whom'));
  return el('section', { class: 'notice warn stack', 'aria-label': `Waits for approval in ${environment}` }, el('div', { class: 'row' }, badge('requested', 'waits for approval'), el('code', { title: p.proposed }, short(p.proposed)), p.by && el('span', { class: 'muted' }, `asked by ${p.by}`)),
    p.note && el('p', { class: 'words' }, p.note), diff, p.by === ctx.me ? el('p', { class: 'muted' }, 'You asked for it, so somebody else decides.') : verbs.length > 0 && decide('Reason', 'The record keeps it.', verbs, ctx.again));
}

// rollback asks once more, and says what comes back.
export function rollback(ctx, environment, revision) {
  const { id } = ctx;
  const box = sheet('Roll back', `${id} in ${environment}`, async () => {
    const { items } = await get(versionPath(id, 'releases'), { environment, limit: 50 });
    const now = items[0];
    const note = el('input', { type: 'text', maxlength: 4000, placeholder: 'why' });
    if (!now?.previous) return el('p', {}, 'There is no revision before this one in ', environment, ', so nothing to go back to.');
    return [el('p', {}, 'Revision ', el('code', { title: revision }, short(revision)), ' goes, and ', el('code', { title: now.previous }, short(now.previous)), ' comes back, within a second on connected gateways.'),
      ctx.may.diff && el('div', { class: 'row' }, el('button', { type: 'button', onclick: () => compare(ctx, { environment, to: `${id}#${now.previous}` }) }, 'What that changes, and for whom')),
      form([field('Reason', note)], 'Roll back', async () => { await post(versionPath(id, 'rollback'), { environment, note: note.value || undefined }); box.close(); await ctx.again(); }, 'danger')];
  });
}

// takeOut withdraws a version from an environment.
export function takeOut(ctx, environment) {
  const { id } = ctx;
  const box = sheet('Take out', `${id} of ${environment}`, () => {
    const note = el('input', { type: 'text', maxlength: 4000 });
    const force = el('input', { type: 'text', maxlength: 2000, placeholder: 'leave it empty unless it still has traffic' });
    const sureOf = el('input', { type: 'checkbox', required: true });
    return [el('p', {}, 'Gateways of ', el('strong', {}, environment), ' stop serving it at once: callers get 404. While it has traffic it stays, unless you say why it goes all the same.'),
      form([field('Note', note), field('It goes although it has traffic, because', force), el('label', { class: 'tick' }, sureOf, 'I mean it')], 'Take it out', async () => {
        await post(versionPath(id, 'withdraw'), { environment, note: note.value || undefined, force: force.value || undefined });
        box.close();
        await ctx.again();
      }, 'danger')];
  });
}

// cancel takes a scheduled release back.
export function cancel(ctx, environment) {
  const said = el('span', { 'aria-live': 'polite' });
  const press = async (button) => {
    if (!sure(button, 'Really cancel it?')) return;
    if (await deed(button, said, () => post(versionPath(ctx.id, 'cancel'), { environment }))) ctx.again();
  };
  return el('span', { class: 'deeds' }, el('button', { type: 'button', class: 'danger', onclick: (e) => press(e.currentTarget) }, 'Cancel'), said);
}
