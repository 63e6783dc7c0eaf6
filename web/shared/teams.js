import { all, get } from './api.js';
import { can } from './permission.js';

const most = 60; // teams that are asked about one by one

// given are the teams on which somebody was given a role, some of which they may
// not read: whoever handles a team's applications need not see the team.
export const given = (assignments) => [...new Set(assignments.map((a) => /^team\/(.+)$/.exec(a.scope)?.[1]).filter(Boolean))];

// teamsThatMay are the names of the teams for which the reader may do an action.
export async function teamsThatMay(action) {
  const [{ items }, everywhere, me] = await Promise.all([all('/v1/teams'), can(action), get('/v1/whoami')]);
  const names = [...new Set([...given(me.assignments), ...items.map((t) => t.metadata.name)])];
  const list = everywhere ? names : names.slice(0, most);
  const may = everywhere ? list.map(() => true) : await Promise.all(list.map((n) => can(action, 'team/' + n)));
  return list.filter((_, i) => may[i]).sort();
}
