// What waits for the reader, and what they asked for that waits for others.
import { el } from '/shared/dom.js';
import { empty } from '/shared/problem.js';
import { ago, plural, tag } from '/shared/format.js';

const kinds = {
  framework: ['Framework', 'Read and decide', (i) => { const [name, version] = i.id.split('@'); return `/console/framework?framework=${part(name)}&version=${part(version)}`; }],
  waiver: ['Waiver', 'Decide', (i) => `/console/gate?waiver=${part(i.id)}`],
  release: ['Release', 'Look and decide', (i) => `/console/release?api=${part(i.id)}`],
  onboarding: ['On-boarding', 'Open', (i) => `/console/onboarding?id=${part(i.id)}`],
  answer: ['Answer', 'Read and confirm', (i) => `/console/gate?api=${part(i.id)}`],
  subscription: ['Subscription', 'Decide', (i) => `/console/subscription?q=${part(i.id.split('/')[1])}`],
  support: ['Support', 'Answer', (i) => `/console/support?id=${part(i.id)}`],
};
const part = encodeURIComponent;

// theirs tells whether an item is the reader's to do now.
const theirs = (i) => !i.yours && !i.decided;

// waiting is the card of what waits.
export function waiting({ items, more }) {
  const mine = items.filter(theirs), others = items.filter((i) => !theirs(i));
  return el('section', { class: 'card', id: 'waiting', 'aria-label': 'What waits for you' },
    el('div', { class: 'card-head' }, el('h2', {}, 'What waits for you'), el('span', { class: 'muted' }, mine.length ? plural(mine.length, 'thing') : '')),
    mine.length ? el('ul', { class: 'plain-list' }, mine.map(line)) : empty('Nothing waits for you', 'Requests that you may decide on appear here as soon as someone asks.'),
    others.length > 0 && el('details', { class: 'others' }, el('summary', {}, `${plural(others.length, 'more')} that somebody else decides`), el('ul', { class: 'plain-list' }, others.map(line))),
    more && el('p', { class: 'said' }, 'There is more than is shown here; the rooms at the side have all of it.'));
}

function line(i) {
  const [what, verb, at] = kinds[i.kind] ?? [i.kind, 'Open', () => '/console/home'];
  return el('li', { class: 'row spread' },
    el('div', { class: 'grow' }, el('div', { class: 'row' }, tag(what), el('strong', { class: 'wrap' }, i.title)),
      el('div', { class: 'muted wrap' }, [i.by && `asked by ${i.by}`, i.environment && `environment ${i.environment}`, i.state].filter(Boolean).join(' · '), ' ', ago(i.since),
        i.yours && ' · yours, so somebody else decides', i.decided && ' · you have said your word')),
    el('a', { class: 'button', href: at(i), 'aria-label': `${verb}: ${i.title}` }, theirs(i) ? verb : 'Look'));
}
