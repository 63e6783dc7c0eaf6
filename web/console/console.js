// The console's frame: who is signed in, which rooms there are, and which of
// them is shown.
import { el, put, svg } from '/shared/dom.js';
import { enter } from '/shared/frame.js';

const groups = [
  ['Work', [
    { name: 'home', title: 'Home', icon: 'M4 11l8-7 8 7v9h-5v-6H9v6H4z' },
    { name: 'catalog', title: 'Catalog', icon: 'M4 5h16M4 12h16M4 19h10' },
    { name: 'release', title: 'Releases', icon: 'M4 7h10M4 12h6M4 17h10M16 8l4 4-4 4' },
    { name: 'gate', title: 'Gate', icon: 'M4 20V9l8-5 8 5v11M9 14l2 2 4-4' },
    { name: 'subscription', title: 'Subscriptions', icon: 'M8 19a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM11 12l8-8M16 7l3 3' },
    { name: 'support', title: 'Support', icon: 'M4 5h16v11H9l-5 4z' },
  ]],
  ['Platform', [
    { name: 'framework', title: 'Frameworks', icon: 'M6 3h9l4 4v14H6zM9 11h7M9 15h7' },
    { name: 'onboarding', title: 'On-boarding', icon: 'M10 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM3 20c1-4 4-6 7-6M18 13v7M14.500 16.500h7' },
    { name: 'fleet', title: 'Gateways', icon: 'M4 4h16v6H4zM4 14h16v6H4zM8 7h.01M8 17h.01' },
    { name: 'sla', title: 'Service levels', icon: 'M4 19a9 9 0 1 1 16 0M12 15l4-5' },
    { name: 'usage', title: 'Usage', icon: 'M5 20V11M12 20V4M19 20v-6' },
    { name: 'audit', title: 'Trail', icon: 'M12 3l8 3v6c0 4.5-3.4 7.7-8 9-4.6-1.3-8-4.5-8-9V6zM9 12l2 2 4-4' },
    { name: 'access', title: 'You', icon: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c1-4 4-6 8-6s7 2 8 6' },
  ]],
];
// What no link of the frame leads to: the page of one team.
const rooms = [...groups.flatMap(([, list]) => list), { name: 'team', title: 'Team', within: 'home' }];

await enter({ area: 'console', first: 'home', rooms, build });

function build(page, main, session) {
  const menu = el('button', { type: 'button', class: 'menu', 'aria-expanded': 'false', 'aria-controls': 'rooms', onclick: () => menu.setAttribute('aria-expanded', String(menu.getAttribute('aria-expanded') !== 'true')) }, 'Menu');
  put(page, el('div', { class: 'frame' },
    el('header', { class: 'side' },
      el('a', { class: 'brand', href: '/console/' }, el('img', { src: '/shared/mark.svg', alt: '', width: 28, height: 28 }), 'Gatehouse'),
      menu,
      el('nav', { 'aria-label': 'Rooms', id: 'rooms' }, groups.map(([title, list]) => el('div', {}, el('h2', {}, title), el('ul', {}, list.map((r) => el('li', {}, el('a', { href: '/console/' + r.name, 'data-room': r.name }, icon(r.icon), r.title))))))),
      el('div', { class: 'who' }, el('strong', { id: 'subject', title: session.subject }, session.subject),
        el('span', { class: 'areas' }, el('a', { href: '/portal/' }, 'Portal'), ' · ', el('a', { href: '/reference/' }, 'API reference')))),
    main));
  return () => menu.setAttribute('aria-expanded', 'false');
}

function icon(d) {
  return svg('svg', { viewBox: '0 0 24 24', 'aria-hidden': 'true', fill: 'none', stroke: 'currentColor', 'stroke-width': 1.8, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' }, svg('path', { d }));
}
