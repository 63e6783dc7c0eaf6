// Questions that a person answers, and that somebody else confirms.
import { el, field } from '/shared/dom.js';
import { path, post, versionPath } from '/shared/api.js';
import { decide, form } from '/shared/deed.js';
import { evidence } from '/shared/evidence.js';
import { sheet } from '/shared/sheet.js';
import { table } from '/shared/table.js';
import { badge, short, when } from '/shared/format.js';

// answer is where one is given, with files that prove it.
export function answer(c, r, { id, may, team, again }) {
  const words = el('textarea', { required: true, maxlength: 20000, rows: 6 });
  const files = evidence(team);
  const box = sheet(c.title || c.id, 'Answer the question', () => [
    (c.findings ?? []).map((f) => el('p', { class: 'wrap' }, f.detail)),
    form([field('Your answer', words), may.evidence && files.node], 'Answer', async () => {
      await post(versionPath(id, 'gate', 'answer'), { environment: r.environment, revision: r.revision, control: c.id, text: words.value, evidence: may.evidence ? await files.upload() : undefined });
      await post(versionPath(id, 'gate', 'run'), { environment: r.environment, revision: r.revision }).catch(() => {});
      box.close();
      await again();
    }), el('p', { class: 'muted' }, 'It counts once somebody else confirms it, and until something it depends on changes.')]);
}

// confirm shows an answer that waits, and lets others decide on it.
export function confirm(c, a, r, { id, may, again, me }) {
  const decideOn = (reject) => async (comment) => {
    await post(versionPath(id, 'gate', 'confirm'), { environment: r.environment, revision: r.revision, control: c.id, reject, comment });
    await post(versionPath(id, 'gate', 'run'), { environment: r.environment, revision: r.revision }).catch(() => {});
  };
  return el('div', { class: 'stack given' }, el('div', { class: 'muted' }, a.by, ' answered ', when(a.time)), el('p', { class: 'words' }, a.text), proofs(a),
    a.by === me ? el('p', { class: 'muted' }, 'You answered it, so somebody else confirms it.') : may.confirm && decide('Comment', 'The record keeps it.', [{ text: 'Confirm', look: 'first', run: decideOn(false) }, { text: 'Reject', look: 'danger', needs: 'Say why, so that it can be answered better.', run: decideOn(true) }], again));
}

const proofs = (a) => (a.evidence ?? []).length > 0 && el('p', {}, 'Evidence: ', a.evidence.map((h) => [el('a', { class: 'mono', href: path('evidence', h, 'content') }, short(h)), ' ']));

// answers lists what was said before.
export function answers(list) {
  return table('Answers', [
    { head: 'Control', key: (a) => a.control, cell: (a) => el('code', {}, a.control) }, { head: 'Answer', cell: (a) => el('div', {}, el('span', { class: 'words' }, a.text), proofs(a)) },
    { head: 'State', key: (a) => a.state, cell: (a) => badge(a.state) }, { head: 'By', key: (a) => a.by, cell: (a) => el('div', {}, a.by, el('span', { class: 'under' }, when(a.time))) },
    { head: 'Decided by', key: (a) => a.decidedBy, cell: (a) => a.decidedBy && el('div', {}, a.decidedBy, a.comment && el('span', { class: 'under' }, a.comment)) },
  ], list, null);
}
