import { count } from '/shared/format.js';

const units = { '1s': 'a second', '1m': 'a minute', '1h': 'an hour', '1d': 'a day' };
const every = (per) => units[per] ?? `per ${per}`;

// terms tells a plan's terms in words.
export function terms(plan) {
  const out = [plan.approval === 'automatic' ? 'Approved at once' : 'Approved by the owning team'];
  if (plan.rateLimit) out.push(`${count(plan.rateLimit.requests)} requests ${every(plan.rateLimit.per)}`);
  if (plan.quota) out.push(`${count(plan.quota.requests)} requests a ${plan.quota.per}`);
  if (!plan.rateLimit && !plan.quota) out.push('No limit of the plan’s own');
  if (plan.sla?.availability) out.push(`${plan.sla.availability} % available in a month`);
  for (const p of ['p50', 'p95', 'p99']) if (plan.sla?.latency?.[p]) out.push(`${p} latency ${plan.sla.latency[p]}`);
  if (plan.sla?.support?.firstResponse) out.push(`Support answers within ${plan.sla.support.firstResponse}`);
  if (plan.sla?.support?.resolution) out.push(`and solves within ${plan.sla.support.resolution}`);
  if (plan.expires) out.push(`Ends ${plan.expires} after approval`);
  return out;
}
