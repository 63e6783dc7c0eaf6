// Elements, made by hand: text goes in as text and never as markup.

// el makes an element. Props that begin with "on" are listeners, false and
// null leave an attribute out, true sets it empty; children are nodes or text.
export function el(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

// svg is el for drawings.
export function svg(tag, props, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), props, children);
}

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, String(value));
  }
  add(node, children);
  return node;
}

function add(node, children) {
  for (const c of children) {
    if (Array.isArray(c)) add(node, c);
    else if (c !== null && c !== undefined && c !== false) node.append(c);
  }
}

// put replaces all that a node holds.
export function put(node, ...children) {
  node.replaceChildren();
  add(node, children);
  return node;
}

// link is an anchor for a web address that came as data; any other scheme
// stays text.
export function link(address) {
  if (!/^https?:\/\//i.test(address ?? '')) return address || null;
  return el('a', { href: address, rel: 'noreferrer noopener' }, address);
}

// field is a control with its label.
export function field(label, control) {
  return el('label', { class: 'field' }, el('span', {}, label), control);
}

// facts is a list of names and values; values that are empty are left out.
export function facts(pairs) {
  return el('dl', { class: 'facts' }, pairs.filter(([, v]) => v !== undefined && v !== null && v !== '').map(([k, v]) => [el('dt', {}, k), el('dd', {}, v)]));
}

// options fills a choice.
export function options(list, chosen) {
  return list.map((o) => {
    const [value, text] = Array.isArray(o) ? o : [o, o];
    return el('option', { value, selected: value === chosen }, text);
  });
}
