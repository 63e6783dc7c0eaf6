import { el, put } from '/shared/dom.js';

const deepest = 12; // levels of inline objects; a document may refer to itself

// named is a schema of the document's components, closed until it is asked for.
export function named(doc, name) {
  const inside = el('div', { class: 'inside' });
  const box = el('details', { class: 'op card', id: 'schema-' + name, ontoggle: (e) => e.target === box && box.open && !inside.childElementCount && put(inside, doc.components.schemas[name].description, schema(doc, doc.components.schemas[name])) },
    el('summary', {}, el('code', {}, name)), inside);
  return box;
}

// schema lists what a value is made of; other schemas are links.
export function schema(doc, s, depth = 0) {
  const props = Object.entries(s.properties ?? {});
  if (s.$ref || !props.length || depth > deepest) return el('div', {}, type(s));
  return el('ul', { class: 'fields' }, props.map(([name, p]) => el('li', {}, el('code', {}, name), ' ', type(p), ' ', s.required?.includes(name) && el('span', { class: 'must' }, 'required '), p.description,
    p.enum && el('span', { class: 'muted' }, ` One of ${p.enum.join(', ')}.`), p.properties && schema(doc, p, depth + 1), p.items?.properties && schema(doc, p.items, depth + 1))));
}

function type(s) {
  if (s.$ref) {
    const name = s.$ref.split('/').pop();
    return el('a', { class: 'type', href: '#schema-' + name }, name);
  }
  const of = s.oneOf ?? s.anyOf ?? s.allOf;
  if (of) return el('span', { class: 'type' }, of.map((o, i) => [i > 0 && ' or ', type(o)]));
  const kind = [].concat(s.type ?? 'any').filter((t) => t !== 'null').join(' or ');
  if (kind === 'array' && s.items) return el('span', { class: 'type' }, 'list of ', type(s.items));
  if (kind === 'object' && s.additionalProperties && typeof s.additionalProperties === 'object') return el('span', { class: 'type' }, 'map of ', type(s.additionalProperties));
  return el('span', { class: 'type' }, kind, s.format && ` (${s.format})`, s.contentEncoding && ` (${s.contentEncoding})`);
}
