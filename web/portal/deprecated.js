import { el, link } from '/shared/dom.js';

// deprecated tells that a version is on its way out; null for others.
export function deprecated(id, v) {
  if (v.lifecycle !== 'deprecated') return null;
  const d = v.deprecation ?? {};
  return el('div', { class: 'notice warn deprecated' }, el('strong', {}, `${id} is deprecated`), d.since && ` since ${day(d.since)}`, d.sunset && [', and is announced to end on ', el('strong', {}, day(d.sunset))], '. ',
    d.successor && (/^https?:/.test(d.successor) ? ['Move to ', link(d.successor), '.'] : `Move to ${d.successor.includes('@') ? d.successor : `${id.split('@')[0]}@${d.successor}`}.`));
}

// day is a date without a time, which is the same day everywhere.
const day = (date) => new Date(date + 'T00:00:00Z').toLocaleDateString('en-GB', { dateStyle: 'medium', timeZone: 'UTC' });
