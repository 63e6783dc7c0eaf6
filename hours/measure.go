package hours

import (
	"slices"
	"time"
)

// maxDays bounds what is walked through: more than ten years.
const maxDays = 4000

// Between is the working time from a to b, zero when b is not after a. Beyond
// ten years the rest is not looked at.
func (c *Calendar) Between(a, b time.Time) time.Duration {
	if !b.After(a) {
		return 0
	}
	if !c.bounded {
		return b.Sub(a)
	}
	var sum time.Duration
	c.walk(a, func(from, to time.Time) bool {
		if !from.Before(b) {
			return false
		}
		if to.After(b) {
			to = b
		}
		sum += to.Sub(from)
		return true
	})
	return sum
}

// After is the moment at which the working time d after t is used up. ok is
// false when that is more than ten years away, or never.
func (c *Calendar) After(t time.Time, d time.Duration) (at time.Time, ok bool) {
	if d <= 0 {
		return t, true
	}
	if !c.bounded {
		return t.Add(d), true
	}
	c.walk(t, func(from, to time.Time) bool {
		if have := to.Sub(from); have < d {
			d -= have
			return true
		}
		at, ok = from.Add(d), true
		return false
	})
	return at, ok
}

// Open reports whether t is within hours.
func (c *Calendar) Open(t time.Time) bool {
	return c.Between(t, t.Add(time.Nanosecond)) > 0
}

// walk yields working spans from a on, in order and without overlap, until
// yield says no. A moment is within hours when a clock on the wall shows a time
// within them: where clocks are changed, what the wall shows twice counts twice
// and what it leaves out not at all. So it goes from one change of clocks to the
// next, and between them day by day.
func (c *Calendar) walk(a time.Time, yield func(from, to time.Time) bool) {
	var week [7][]span
	for d := range week {
		week[d] = slices.Clone(c.week[d])
		slices.SortFunc(week[d], func(a, b span) int { return a.from - b.from })
	}
	a = a.UTC()
	last := a.AddDate(0, 0, maxDays)
	for a.Before(last) {
		local := a.In(c.zone)
		_, offset := local.Zone()
		_, change := local.ZoneBounds()
		if change.IsZero() || change.After(last) {
			change = last
		}
		// The days on the wall, as if they were UTC, and what to take from them.
		wall := time.Duration(offset) * time.Second
		for day := a.UTC().Add(wall).Truncate(24 * time.Hour); day.Add(-wall).Before(change); day = day.AddDate(0, 0, 1) {
			if c.off(day) {
				continue
			}
			for _, s := range week[day.Weekday()] {
				from, to := day.Add(time.Duration(s.from)*time.Minute-wall), day.Add(time.Duration(s.to)*time.Minute-wall)
				if from.Before(a) {
					from = a
				}
				if to.After(change) {
					to = change
				}
				if to.After(from) && !yield(from, to) {
					return
				}
			}
		}
		a = change.UTC()
	}
}

// off reports whether nobody helps on a day.
func (c *Calendar) off(day time.Time) bool {
	y, m, d := day.Date()
	return c.holidays[date{y, m, d}] || c.yearly[monthDay{m, d}]
}
