// What a framework version demands.
import { el } from '/shared/dom.js';
import { empty } from '/shared/problem.js';
import { table } from '/shared/table.js';
import { badge, tag } from '/shared/format.js';

const standards = { 'owasp-api-2023': 'OWASP API 2023', 'iso-27001-2022': 'ISO 27001', 'nist-800-53-r5': 'NIST 800-53', 'pci-dss-4': 'PCI DSS 4', gdpr: 'GDPR' };
const kinds = { lint: 'a ruleset over the definition', policy: 'a policy in every chain', cel: 'a condition', placement: 'where it runs', change: 'what changes', question: 'a person answers' };
const severities = ['low', 'medium', 'high', 'critical'];

export const kindOf = (control) => Object.keys(control.check ?? {})[0] ?? '';

// controls is the list of them, each with its text and check to unfold.
export function controls(list) {
  return table('Controls', [
    { head: 'Control', key: (c) => c.id, cell: (c) => el('div', { class: 'wrap' }, el('strong', {}, c.title || c.id), el('span', { class: 'under mono' }, c.id), c.text && el('span', { class: 'under' }, c.text), whole(c)) },
    { head: 'Level', key: (c) => c.level ?? 'required', cell: (c) => tag(c.level ?? 'required') },
    { head: 'Severity', key: (c) => severities.indexOf(c.severity ?? 'medium'), cell: (c) => badge(c.severity ?? 'medium') },
    { head: 'Judged by', key: kindOf, cell: (c) => kinds[kindOf(c)] ?? kindOf(c) },
    { head: 'Where', cell: (c) => Object.entries(c.applies ?? {}).map(([what, of]) => el('span', { class: 'under' }, `${what}: ${of.join(', ')}`)) },
    { head: 'Grace', key: (c) => c.grace, cell: (c) => c.grace ?? '' },
    { head: 'Maps to', cell: (c) => c.mappings && el('span', { class: 'row' }, Object.entries(c.mappings).flatMap(([standard, refs]) => refs.map((r) => tag(`${standards[standard] ?? standard} ${r}`)))) },
  ], list, empty('No control', 'This version demands nothing of APIs but its mandatory policies.'));
}

function whole(c) {
  return el('details', {}, el('summary', { class: 'muted' }, 'How it is judged'), el('pre', {}, JSON.stringify(c.check, null, 2)));
}

// policies are those that run first and cannot be removed.
export function policies(list) {
  if (!list.length) return null;
  return el('section', { class: 'stack', 'aria-label': 'Mandatory policies' }, el('h2', {}, 'Mandatory policies'), table('Mandatory policies', [
    { head: 'Stages', cell: (m) => (m.stages ?? []).join(', ') || 'all' }, { head: 'Audiences', cell: (m) => (m.audiences ?? []).join(', ') || 'all' },
    { head: 'Policies, in order', cell: (m) => (m.policies ?? []).map((p) => el('pre', {}, typeof p === 'string' ? p : JSON.stringify(p))) },
  ], list, null));
}
