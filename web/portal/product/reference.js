// What an API version offers: its operations, with examples of answers, and its
// definition to take away.
import { el, put, field } from '/shared/dom.js';
import { get, versionPath } from '/shared/api.js';
import { deed } from '/shared/deed.js';
import { empty, problem } from '/shared/problem.js';
import { plural } from '/shared/format.js';

// reference is unfolded by who wants it, and asked for then.
export function reference(id) {
  const body = el('div', { class: 'foot plain stack' });
  let asked = false;
  const load = async (e) => {
    if (!e.currentTarget.open || asked) return;
    asked = true;
    put(body, el('p', { class: 'busy' }, 'Loading…'));
    try {
      put(body, operations(id, await get(versionPath(id, 'operations'))));
    } catch (err) {
      put(body, problem(err));
    }
  };
  return el('details', { class: 'reference', ontoggle: load }, el('summary', {}, 'Reference: operations and the definition'), body);
}

function operations(id, { operations: list, path }) {
  if (!list.length) return empty('It has no definition', `Everything under ${path} is passed on; its owners know what there is.`);
  const found = el('ul', { class: 'plain-list bounded' });
  const draw = (words) => put(found, list.filter((o) => [o.id, o.method, o.path, o.summary].join(' ').toLowerCase().includes(words)).slice(0, 300).map((o) => operation(o, path)));
  draw('');
  const said = el('span', { 'aria-live': 'polite' });
  const save = (button) => deed(button, said, async () => {
    const { definition, file } = await get(versionPath(id, 'operations'), { definition: true });
    const to = URL.createObjectURL(new Blob([definition ?? ''], { type: 'application/octet-stream' }));
    el('a', { href: to, download: (file || id).split('/').pop() }).click();
    setTimeout(() => URL.revokeObjectURL(to), 60000);
  });
  return [el('div', { class: 'row spread deeds' }, el('span', { class: 'muted' }, plural(list.length, 'operation')), el('button', { type: 'button', onclick: (e) => save(e.currentTarget) }, 'Download the definition')), said,
    list.length > 12 && field('Filter operations', el('input', { type: 'search', oninput: (e) => draw(e.currentTarget.value.toLowerCase()) })), found];
}

function operation(o, path) {
  const head = [el('span', { class: 'method' }, o.method), el('code', { class: 'wrap' }, path.replace(/\/$/, '') + o.path), o.summary && el('span', { class: 'muted wrap' }, o.summary)];
  const examples = o.examples ?? [];
  if (!examples.length) return el('li', { class: 'row' }, head);
  return el('li', {}, el('details', {}, el('summary', {}, el('span', { class: 'row inline' }, head)), examples.slice(0, 10).map((x) => el('div', { class: 'example' }, el('div', { class: 'muted' }, [`answers ${x.status}`, x.contentType, x.name].filter(Boolean).join(' · ')),
    x.body !== undefined && el('pre', { class: 'command' }, typeof x.body === 'string' ? x.body : JSON.stringify(x.body, null, 2))))));
}
